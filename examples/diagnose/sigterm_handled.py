"""Diagnose a worker that has a handler for SIGTERM."""

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
    signal.signal(signal.SIGTERM, lambda *args: None)
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
    for line in find(worker.pid, "sigterm-handled"):
        print(line)
        #> sigterm-handled: SIGTERM has a handler: what terminate()
        #> does is up to the program.
    worker.kill()
    worker.join()
