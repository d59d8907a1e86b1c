"""Under forkserver, PDEATHSIG and getppid() notice no death."""

# /// script
# [tool.evidence]
# platforms = ["linux"]
# ///
import ctypes
import os
import signal
from multiprocessing import Pipe, Process, get_context


def work(pipe):
    signals = set()
    signal.signal(signal.SIGUSR1, lambda number, _: signals.add(number))
    ctypes.CDLL(None).prctl(1, signal.SIGUSR1)  # PR_SET_PDEATHSIG
    parent = os.getppid()
    pipe.send("ready")
    pipe.recv()
    orphan = os.getppid() != parent
    pipe.send(f"signal {bool(signals)}, new parent {orphan}")


def keep(pipe, method):
    get_context(method).Process(target=work, args=(pipe,)).start()


if __name__ == "__main__":
    for method in ("fork", "spawn", "forkserver"):
        ours, theirs = Pipe()
        keeper = Process(target=keep, args=(theirs, method))
        keeper.start()
        ours.recv()
        keeper.kill()
        keeper.join()
        ours.send("what did you see?")
        print(f"{method}: {ours.recv()}")
        #> fork: signal True, new parent True
        #> spawn: signal True, new parent True
        #> forkserver: signal False, new parent False
