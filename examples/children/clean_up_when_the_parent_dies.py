"""Clean up when the parent dies: send SIGTERM to your own process."""

import os
import signal
import sys
import time
from multiprocessing import Pipe, Process, parent_process
from threading import Thread


def watch_parent():
    parent_process().join()
    os.kill(os.getpid(), signal.SIGTERM)


def work(pipe):
    signal.signal(signal.SIGTERM, lambda *args: sys.exit(143))
    Thread(target=watch_parent, daemon=True).start()
    try:
        pipe.send("ready")
        while True:  # A signal just before a long sleep would wait.
            time.sleep(0.1)
    finally:
        pipe.send("cleaned up")


def keep(pipe):
    Process(target=work, args=(pipe,)).start()


if __name__ == "__main__":
    receiver, sender = Pipe(duplex=False)
    keeper = Process(target=keep, args=(sender,))
    keeper.start()
    print("the worker:", receiver.recv())
    #> the worker: ready
    keeper.kill()
    keeper.join()
    print("the worker:", receiver.recv())
    #> the worker: cleaned up
