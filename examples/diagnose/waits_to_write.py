"""Diagnose a command whose output is not read."""

# /// script
# dependencies = ["process-terminate"]
# [tool.evidence]
# platforms = ["linux"]
# ///
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
    command = subprocess.Popen(["yes"], stdout=subprocess.PIPE)
    for line in find(command.pid, "waits-to-write"):
        print(line)
        #> waits-to-write: It waits to write to a pipe that is
        #> full: the calling process should read it.
    command.kill()
    command.communicate()
