"""Diagnose a worker that was sent SIGTERM and blocks it."""

# /// script
# dependencies = ["process-terminate"]
# [tool.evidence]
# platforms = ["linux"]
# ///
import signal
import time
from multiprocessing import Pipe, Process
from textwrap import wrap

from process_terminate import diagnose, stop


def work(ready):
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    ready.send("ready")
    time.sleep(60)


def find(pid, name):
    for _ in range(1000):
        if found := diagnose(pid).get(name):
            return wrap(f"{name}: {found.text}", 56)
        time.sleep(0.01)
    return [f"not {name}: {diagnose(pid)}"]


if __name__ == "__main__":
    receiver, sender = Pipe(duplex=False)
    worker = Process(target=work, args=[sender])
    worker.start()
    receiver.recv()
    worker.terminate()
    for line in find(worker.pid, "sigterm-pending"):
        print(line)
        #> sigterm-pending: SIGTERM was sent and is pending: the
        #> process has not received it yet.
    stop(worker, grace=0)
