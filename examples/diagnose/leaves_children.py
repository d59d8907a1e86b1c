"""Diagnose a worker that has started two commands."""

# /// script
# dependencies = ["process-terminate"]
# [tool.evidence]
# platforms = ["linux"]
# ///
import subprocess
import time
from multiprocessing import Pipe, Process
from textwrap import wrap

from process_terminate import diagnose, stop_tree


def work(ready):
    commands = [subprocess.Popen(["sleep", "60"]) for _ in "ab"]
    ready.send("ready")
    commands[0].wait()


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

    for line in find(worker.pid, "leaves-children"):
        print(line)
        #> leaves-children: kill() and terminate() do not reach its
        #> 2 descendants.
    stop_tree(worker)
