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
    for _ in range(1000):
        if found := diagnose(pid).get(name):
            return wrap(f"{name}: {found.text}", 56)
        time.sleep(0.01)
    return [f"not {name}: {diagnose(pid)}"]


if __name__ == "__main__":
    worker = Process(target=time.sleep, args=[60])
    worker.start()
    for line in find(worker.pid, "waits-for-time"):
        print(line)
        #> waits-for-time: It sleeps until a time has come, as in
        #> time.sleep().

    worker.kill()
    worker.join()
