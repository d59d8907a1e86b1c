"""Diagnose process 1 of a PID namespace, as in a container."""

# /// script
# dependencies = ["process-terminate"]
# [tool.evidence]
# platforms = ["linux"]
# needs = ["pid namespace"]
# ///
import ctypes
import time
from multiprocessing import get_context
from textwrap import wrap

from process_terminate import diagnose


def contain():
    ctypes.CDLL(None).unshare(0x20000000)  # CLONE_NEWPID
    context = get_context("fork")
    init = context.Process(target=time.sleep, args=[60])
    init.start()
    for line in find(init.pid, "pid-1"):
        print(line)
        #> as well.
        #> pid-1: It is process 1 of a container or system: signals
        #> without a handler are dropped, and SIGKILL from inside
    init.kill()
    init.join()


def find(pid, name):
    while not (found := diagnose(pid).get(name)):
        time.sleep(0.01)
    return wrap(f"{name}: {found.text}", 56)


if __name__ == "__main__":
    container = get_context("fork").Process(target=contain)
    container.start()
    container.join()
