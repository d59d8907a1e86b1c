"""Kill a program that has a Lock: the resource tracker warns."""

import re
import subprocess
import sys

PROGRAM = """
import signal, sys
from multiprocessing import get_context

lock = get_context("spawn").Lock()
{line}
signal.raise_signal(signal.SIGTERM)
"""
HANDLE = "signal.signal(signal.SIGTERM, lambda *args: sys.exit(143))"


def warning_of(line):
    program = PROGRAM.format(line=line)
    command = [sys.executable, "-c", program]
    run = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    found = re.search(r"\d+ leaked semaphore objects", run.stderr)
    return f"{run.returncode}, {found[0] if found else 'no warning'}"


if __name__ == "__main__":
    print("killed:", warning_of("signal.raise_signal(signal.SIGKILL)"))
    #> killed: -9, 1 leaked semaphore objects
    print("terminated:", warning_of(""))
    #> terminated: -15, 1 leaked semaphore objects
    print("handled SIGTERM:", warning_of(HANDLE))
    #> handled SIGTERM: 143, no warning
