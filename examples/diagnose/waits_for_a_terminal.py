"""Diagnose a command that waits for input."""

# /// script
# dependencies = ["process-terminate"]
# [tool.evidence]
# platforms = ["linux"]
# ///
import os
import pty
import subprocess
import time
from textwrap import wrap

from process_terminate import diagnose


def find(pid, name):
    for _ in range(1000):
        if found := diagnose(pid).get(name):
            return wrap(f"{name}: {found.text}", 56)
        time.sleep(0.01)
    return [f"not {name}: {diagnose(pid)}"]


if __name__ == "__main__":
    ours, terminal = pty.openpty()
    command = subprocess.Popen(["cat"], stdin=terminal)
    for line in find(command.pid, "waits-for-a-terminal"):
        print(line)
        #> waits-for-a-terminal: It waits for input from a
        #> terminal.
    command.kill()
    command.wait()
    os.close(ours)
    os.close(terminal)
