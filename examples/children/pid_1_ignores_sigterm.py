"""Process 1 ignores SIGTERM unless it has a handler for it."""

# /// script
# [tool.evidence]
# needs = ["pid namespace"]
# ///
import ctypes
import os
import signal
from multiprocessing import Process, get_context


def program(pipe, handler):
    if handler:
        signal.signal(signal.SIGTERM, lambda *args: os._exit(143))
    pipe.send(os.getpid())
    pipe.recv()


def contain(handler):
    if ctypes.CDLL(None).unshare(0x20000000):  # CLONE_NEWPID
        raise SystemExit("a new PID namespace takes root")
    fork = get_context("fork")
    ours, theirs = fork.Pipe()
    init = fork.Process(target=program, args=(theirs, handler))
    init.start()
    pid = ours.recv()
    init.terminate()
    init.join(timeout=None if handler else 0.5)
    print(f"PID {pid}, handler {handler}: {init.exitcode}")
    #> PID 1, handler False: None
    #> PID 1, handler True: 143
    init.kill()


if __name__ == "__main__":
    for handler in (False, True):
        container = Process(target=contain, args=(handler,))
        container.start()
        container.join()
