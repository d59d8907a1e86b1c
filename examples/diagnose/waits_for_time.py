"""Diagnose a worker that sleeps."""

# /// script
# dependencies = ["process-terminate"]
# [tool.evidence]
# platforms = ["linux"]
# ///
import time
from multiprocessing import Process
from textwrap import wrap

from process_terminate import diagnose


def find(pid, name):
    while not (found := diagnose(pid).get(name)):
        time.sleep(0.01)
    return wrap(f"{name}: {found.text}", 56)


if __name__ == "__main__":
    worker = Process(target=time.sleep, args=[60])
    worker.start()
    for line in find(worker.pid, "waits-for-time"):
        print(line)
        #> waits-for-time: It sleeps until a time has come, as in
        #> time.sleep().

    worker.kill()
    worker.join()
