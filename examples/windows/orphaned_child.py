"""Terminate a parent, whose child keeps running and still names it."""

# /// script
# dependencies = ["psutil"]
# [tool.evidence]
# platforms = ["win32"]
# ///

import subprocess
import sys

import psutil

CHILD = "import time; time.sleep(60)"
PARENT = f"""
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", {CHILD!r}])
print(os.getpid(), child.pid, flush=True)
time.sleep(60)
"""


if __name__ == "__main__":
    command = [sys.executable, "-c", PARENT]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE)
    pids = map(int, parent.stdout.readline().split())
    dead, child = map(psutil.Process, pids)
    parent.terminate()
    dead.wait()
    print("the parent runs:", dead.is_running())
    #> the parent runs: False
    print("the child runs:", child.is_running())
    #> the child runs: True
    print("its ppid() is the dead parent:", child.ppid() == dead.pid)
    #> its ppid() is the dead parent: True
    print("psutil's parent():", child.parent())
    #> psutil's parent(): None
    child.kill()
    child.wait()
    parent.communicate()
