"""Diagnose wait() for a command that fills its pipe."""

# /// script
# dependencies = ["process-terminate"]
# [tool.evidence]
# platforms = ["linux"]
# ///
import subprocess
import time
from multiprocessing import Process
from textwrap import wrap

from process_terminate import diagnose


def work():
    with subprocess.Popen(["yes"], stdout=subprocess.PIPE) as command:
        command.wait()


def find(pid, name):
    for _ in range(1000):
        if found := diagnose(pid).get(name):
            return wrap(f"{name}: {found.text}", 56)
        time.sleep(0.01)
    return [f"not {name}: {diagnose(pid)}"]


if __name__ == "__main__":
    worker = Process(target=work)
    worker.start()
    for line in find(worker.pid, "deadlock"):
        print(line)
        #> deadlock: It waits for itself: each process and thread
        #> that could continue it waits for another one of them.

    worker.kill()
    worker.join()
