"""Diagnose a worker that waits for its command."""

# /// script
# dependencies = ["process-terminate"]
# [tool.evidence]
# platforms = ["linux"]
# ///
import subprocess
import time
from multiprocessing import Process
from re import sub
from textwrap import wrap

from process_terminate import diagnose, stop_tree


def work():
    subprocess.run(["sleep", "60"])


def find(pid, name):
    for _ in range(1000):
        if found := diagnose(pid).get(name):
            text = sub(r"\d+", "PID", found.text)
            return wrap(f"{name}: {text}", 56)
        time.sleep(0.01)
    return [f"not {name}: {diagnose(pid)}"]


if __name__ == "__main__":
    worker = Process(target=work)
    worker.start()
    for line in find(worker.pid, "waits-for-a-child"):
        print(line)
        #> waits-for-a-child: It waits for the end of its child,
        #> pid PID.
    stop_tree(worker)
