"""Diagnose a worker that blocks SIGTERM."""

# /// script
# dependencies = ["process-terminate"]
# [tool.evidence]
# platforms = ["linux"]
# ///
import signal
import time
from multiprocessing import Process
from textwrap import wrap

from process_terminate import diagnose


def work():
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    time.sleep(60)


def find(pid, name):
    for _ in range(1000):
        if found := diagnose(pid).get(name):
            return wrap(f"{name}: {found.text}", 56)
        time.sleep(0.01)
    return [f"not {name}: {diagnose(pid)}"]


if __name__ == "__main__":
    worker = Process(target=work)
    worker.start()
    for line in find(worker.pid, "sigterm-blocked"):
        print(line)
        #> sigterm-blocked: SIGTERM is blocked in each thread: it
        #> stays pending until a thread unblocks it.
    worker.kill()
    worker.join()
