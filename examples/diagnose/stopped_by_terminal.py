"""Diagnose a background job that reads from the terminal."""

# /// script
# dependencies = ["process-terminate"]
# [tool.evidence]
# platforms = ["linux"]
# ///
import os
import pty
import signal
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
    shell, terminal = pty.fork()
    if shell == 0:
        # With job control a job in the background has a group.
        command = "set -m; stty -echo; cat & echo job $!; sleep 60"
        os.execlp("sh", "sh", "-c", command)
    with os.fdopen(terminal) as output:
        job = int(output.readline().split()[-1])
        for line in find(job, "stopped-by-terminal"):
            print(line)
            #> stopped-by-terminal: It is stopped in the background of
            #> its terminal, by reading from it or by Ctrl-Z: SIGTERM
            #> stays pending until it is continued.
        os.kill(job, signal.SIGKILL)
        os.kill(shell, signal.SIGKILL)
        os.waitpid(shell, 0)
