"""Orphans become zombies below a process 1 that does not reap them."""

# /// script
# [tool.evidence]
# needs = ["pid namespace"]
# ///
import ctypes
import os
from multiprocessing.context import ForkProcess


def program():
    os.system("for i in 1 2 3; do sleep 0.1 & done")  # 3 orphans.
    zombies = 0
    try:
        while os.wait():  # Until this process has no child.
            zombies += 1
    except ChildProcessError:
        print(f"program is process {os.getpid()}: {zombies} zombies")
        #> program is process 1: 3 zombies
        #> program is process 2: 0 zombies


def init():
    child = ForkProcess(target=program)
    child.start()
    while os.wait()[0] != child.pid:  # It also reaps the orphans.
        pass


def contain(process_1):
    ctypes.CDLL(None).unshare(0x20000000)  # CLONE_NEWPID
    ForkProcess(target=process_1).start()


if __name__ == "__main__":
    for process_1 in program, init:
        container = ForkProcess(target=contain, args=[process_1])
        container.start()
        container.join()
