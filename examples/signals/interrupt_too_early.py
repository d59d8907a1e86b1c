"""Interrupt forked workers too early: some never hear of it."""

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
    # Python's own would do, but for its tracebacks.
    old = signal.signal(signal.SIGINT, lambda *args: os._exit(1))
    for wait in (False, True):
        codes = {exitcode(wait_for_ready=wait) for _ in range(20)}
        print(f"waited {wait}: one of 20 went on {0 in codes}")
        #> waited False: one of 20 went on True
        #> waited True: one of 20 went on False
    signal.signal(signal.SIGINT, old)
