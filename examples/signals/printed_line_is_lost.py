"""Lose a line that a worker wrote to a pipe, not to a terminal."""

import os
import sys
import time
from multiprocessing import Pipe, Process


def work(output, ready, flush):
    # As in `python program.py | cat`; print() writes to sys.stdout.
    sys.stdout = open(output.fileno(), "w", closefd=False)
    sys.stdout.write("Populated the queue\n")
    if flush:
        sys.stdout.flush()
    ready.send("ready")
    time.sleep(60)


def output_of(flush):
    output, sender = Pipe(duplex=False)
    receiver, ready = Pipe(duplex=False)
    worker = Process(target=work, args=(sender, ready, flush))
    worker.start()
    # Or recv() hangs when the worker is dead.
    sender.close()
    receiver.recv()
    worker.terminate()
    worker.join()
    return os.read(output.fileno(), 100)


if __name__ == "__main__":
    print("written:", output_of(flush=False))
    #> written: b''
    print("written and flushed:", output_of(flush=True))
    #> written and flushed: b'Populated the queue\n'
