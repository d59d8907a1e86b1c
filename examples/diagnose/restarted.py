"""Diagnose a worker that a supervisor starts again."""

# /// script
# dependencies = ["process-terminate"]
# [tool.evidence]
# platforms = ["linux"]
# ///
import os
import signal
import time
from subprocess import PIPE, Popen
from textwrap import wrap

from process_terminate import diagnose, stop_tree


def find(pid, name):
    for _ in range(1000):
        if found := diagnose(pid).get(name):
            return wrap(f"{name}: {found.text}", 56)
        time.sleep(0.01)
    return [f"not {name}: {diagnose(pid)}"]


if __name__ == "__main__":
    loop = "while true; do sleep 60 & echo $!; wait; done"
    command = ["supervisord", "-c", loop]
    supervisor = Popen(command, executable="/bin/sh", stdout=PIPE)
    first = int(supervisor.stdout.readline())
    for line in find(first, "restarted"):
        print(line)
        #> restarted: Its parent is a supervisor, which starts
        #> another process when this one ends.
    os.kill(first, signal.SIGKILL)
    second = int(supervisor.stdout.readline())
    print("started again:", second != first)
    #> started again: True
    stop_tree(supervisor)
    supervisor.stdout.close()
