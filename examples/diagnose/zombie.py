"""Diagnose a zombie of one's own."""

# /// script
# dependencies = ["process-terminate"]
# [tool.evidence]
# platforms = ["linux"]
# ///
import os
import subprocess
from textwrap import wrap

from process_terminate import diagnose

if __name__ == "__main__":
    command = subprocess.Popen(["true"])
    # Wait until it is dead, and leave it unreaped.
    os.waitid(os.P_PID, command.pid, os.WEXITED | os.WNOWAIT)
    found = diagnose(command.pid).get("zombie")
    for line in wrap(f"{found.name}: {found.text}", 56):
        print(line)
        #> zombie: It is dead, but this process, its parent, has
        #> not reaped it.
    command.wait()
