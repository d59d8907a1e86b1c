"""Terminate a Pool whose workers inherit a handler: it hangs."""

import os
import signal
import time
from multiprocessing import get_context
from threading import Thread

fork = get_context("fork")  # Only a forked worker inherits it.


def begin(reset, pipe):
    if reset:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    globals()["report"] = pipe


def work():
    report.send(os.getpid())  # noqa: F821
    while True:
        time.sleep(0.1)


if __name__ == "__main__":
    old = signal.signal(signal.SIGTERM, lambda *args: None)
    for reset in (False, True):
        receiver, sender = fork.Pipe(duplex=False)
        pool = fork.Pool(1, begin, [reset, sender])
        pool.apply_async(work)
        worker = receiver.recv()
        terminate = Thread(target=pool.terminate, daemon=True)
        terminate.start()
        terminate.join(timeout=5 if reset else 0.5)
        print(f"reset {reset}: hanging {terminate.is_alive()}")
        #> reset False: hanging True
        #> reset True: hanging False
        if not reset:
            os.kill(worker, signal.SIGKILL)
            terminate.join()
    signal.signal(signal.SIGTERM, old)
