"""Stop a process and the process that it started."""

# /// script
# requires-python = ">=3.11"
# dependencies = ["process-terminate", "psutil"]
# [tool.evidence]
# platforms = ["win32"]
# ///

import subprocess
import sys

import psutil

from process_terminate import stop_tree

CHILD = "import time; time.sleep(60)"
PARENT = f"""
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", {CHILD!r}])
print(child.pid, flush=True)
time.sleep(60)
"""


if __name__ == "__main__":
    command = [sys.executable, "-c", PARENT]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE)
    child = psutil.Process(int(parent.stdout.readline()))
    stopped = stop_tree(parent)
    parent.communicate()
    statuses = {process.pid: process.status for process in stopped}
    print("parent:", statuses[parent.pid])
    #> parent: exited with 15; on Windows also os.kill(pid, SIGTERM)
    print("child:", statuses[child.pid])
    #> child: exited with 15; on Windows also os.kill(pid, SIGTERM)
    print("the child runs:", child.is_running())
    #> the child runs: False
