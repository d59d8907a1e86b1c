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
        return "alive" in iter(ours.recv, None)
    except (EOFError, OSError):
        return False
    finally:
        worker.join()


if __name__ == "__main__":
    old = signal.signal(signal.SIGTERM, lambda *args: os._exit(1))
    for wait in (False, True):
        lost = any(survives(wait_for_ready=wait) for _ in range(100))
        print(f"waited {wait}: one of 100 survives {lost}")
        #> waited False: one of 100 survives True
        #> waited True: one of 100 survives False
    signal.signal(signal.SIGTERM, old)
