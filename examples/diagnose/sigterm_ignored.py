"""Diagnose a worker that ignores SIGTERM."""

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
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
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
    for line in find(worker.pid, "sigterm-ignored"):
        print(line)
        #> sigterm-ignored: SIGTERM is ignored: terminate() does
        #> nothing.
    worker.kill()
    worker.join()
