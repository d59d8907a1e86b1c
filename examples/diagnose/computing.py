"""Diagnose a worker in an endless loop."""

# /// script
# dependencies = ["process-terminate"]
# [tool.evidence]
# platforms = ["linux"]
# ///
import time
from multiprocessing import Process
from textwrap import wrap

from process_terminate import diagnose


def work():
    while True:
        pass


def find(pid, name):
    for _ in range(1000):
        if found := diagnose(pid).get(name):
            return wrap(f"{name}: {found.text}", 56)
        time.sleep(0.01)
    return [f"not {name}: {diagnose(pid)}"]


if __name__ == "__main__":
    worker = Process(target=work)
    worker.start()

    for line in find(worker.pid, "computing"):
        print(line)
        #> computing: Its main thread is computing.

    worker.kill()
    worker.join()
