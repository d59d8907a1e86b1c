"""Terminate forked workers right after start(): some survive."""

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
    theirs.close()  # Or recv() hangs when the worker is dead.
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
    for wait, tries in ((False, 300), (True, 50)):
        lost = any(survives(wait_for_ready=wait) for _ in range(tries))
        print(f"waited {wait}: a worker survives {lost}")
        #> waited False: a worker survives True
        #> waited True: a worker survives False
    signal.signal(signal.SIGTERM, old)
