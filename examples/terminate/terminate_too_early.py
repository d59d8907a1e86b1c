"""Terminate forked workers too early: some never hear of it."""

import os
import signal
from multiprocessing import get_context

fork = get_context("fork")  # Only fork hands the handler down.


def work(pipe):
    pipe.send("ready")
    pipe.recv()
    pipe.send("alive")


def survives(wait_for_ready):
    ours, theirs = fork.Pipe()
    worker = fork.Process(target=work, args=(theirs,))
    worker.start()
    theirs.close()  # Or no end of file comes when the worker is dead.
    if wait_for_ready:
        ours.recv()
    worker.terminate()
    try:
        ours.send("are you alive?")
        return "alive" in [ours.recv(), ours.recv()]
    except (EOFError, OSError):
        return False
    finally:
        worker.join()


if __name__ == "__main__":
    old = signal.signal(signal.SIGTERM, lambda *args: os._exit(1))
    lost = sum(survives(wait_for_ready=False) for _ in range(20))
    print("right after start(): some of 20 survive", lost > 0)
    #> right after start(): some of 20 survive True
    lost = sum(survives(wait_for_ready=True) for _ in range(20))
    print("when they are ready: some of 20 survive", lost > 0)
    #> when they are ready: some of 20 survive False
    signal.signal(signal.SIGTERM, old)
