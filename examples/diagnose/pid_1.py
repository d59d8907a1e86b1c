"""Diagnose process 1 of a PID namespace, as in a container."""

# /// script
# dependencies = ["process-terminate"]
# [tool.evidence]
# platforms = ["linux"]
# needs = ["pid namespace"]
# ///
import time
from subprocess import DEVNULL, Popen
from textwrap import wrap

import psutil

from process_terminate import diagnose


def find(pid, name):
    for _ in range(1000):
        if found := diagnose(pid).get(name):
            return wrap(f"{name}: {found.text}", 56)
        time.sleep(0.01)
    return [f"not {name}: {diagnose(pid)}"]


if __name__ == "__main__":
    command = ["unshare", "--pid", "--fork", "sleep", "60"]
    # It complains when its child is killed (util-linux 2.38).
    unshare = Popen(command, stderr=DEVNULL)
    while not (children := psutil.Process(unshare.pid).children()):
        time.sleep(0.01)
    for line in find(children[0].pid, "pid-1"):
        print(line)
        #> pid-1: It is process 1 of a container or system: signals
        #> without a handler are dropped, and SIGKILL from inside
        #> as well.
    children[0].kill()
    unshare.wait()
