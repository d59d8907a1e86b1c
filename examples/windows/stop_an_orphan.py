"""Stop a process whose parent is dead, by a job object."""

# /// script
# requires-python = ">=3.11"
# dependencies = ["process-terminate", "psutil"]
# [tool.evidence]
# platforms = ["win32"]
# ///

import sys
from subprocess import PIPE, Popen

import psutil

from process_terminate import no_orphans

CHILD = "import time; time.sleep(60)"
PARENT = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {CHILD!r}])
print(child.pid)
"""


if __name__ == "__main__":
    with no_orphans():
        parent = Popen([sys.executable, "-c", PARENT], stdout=PIPE)
        orphan = psutil.Process(int(parent.stdout.readline()))
        print("the parent exited with", parent.wait())
        #> the parent exited with 0
        print("the orphan runs:", orphan.is_running())
        #> the orphan runs: True
    print("the orphan runs:", orphan.is_running())
    #> the orphan runs: False
