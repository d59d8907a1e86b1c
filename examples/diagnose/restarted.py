"""Diagnose a worker that a supervisor starts again."""

# /// script
# dependencies = ["process-terminate"]
# [tool.evidence]
# platforms = ["linux"]
# ///
import os
import signal
import subprocess
import time
from textwrap import wrap

from process_terminate import diagnose, stop_tree


def find(pid, name):
    while not (found := diagnose(pid).get(name)):
        time.sleep(0.01)
    return wrap(f"{name}: {found.text}", 56)


if __name__ == "__main__":
    loop = "while true; do sleep 60 & echo $!; wait; done"
    command = ["supervisord", "-c", loop]
    supervisor = subprocess.Popen(
        command, executable="/bin/sh", stdout=subprocess.PIPE
    )
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
