"""Interrupt forked workers right after start(): some continue."""

# /// script
# requires-python = ">=3.14"
# ///
import os
import signal
from multiprocessing import get_context

fork = get_context("fork")


def work(pipe):
    pipe.send("ready")
    pipe.recv()


def exitcode(wait_for_ready):
    ours, theirs = fork.Pipe()
    worker = fork.Process(target=work, args=(theirs,))
    worker.start()
    if wait_for_ready:
        ours.recv()
    worker.interrupt()
    ours.send("go on")
    worker.join()
    return worker.exitcode


if __name__ == "__main__":
    # Python's own handler would print tracebacks.
    old = signal.signal(signal.SIGINT, lambda *args: os._exit(1))
    for wait, tries in ((False, 300), (True, 50)):
        codes = (exitcode(wait_for_ready=wait) for _ in range(tries))
        print(f"waited {wait}: a worker continues {0 in codes}")
        #> waited False: a worker continues True
        #> waited True: a worker continues False
    signal.signal(signal.SIGINT, old)
