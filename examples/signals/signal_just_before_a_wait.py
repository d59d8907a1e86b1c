"""Send a signal just before a wait: only the second one works."""

import ctypes
import signal
import sys
import time
from functools import partial
from multiprocessing import Pipe, Process


def work(pipe):
    def leave(number, frame):
        pipe.send("handled")
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, leave)
    send = partial(ctypes.CDLL(None)["raise"], signal.SIGTERM)
    wait = partial(time.sleep, 60)
    print("worker: sends itself SIGTERM, and waits", flush=True)
    #> worker: sends itself SIGTERM, and waits
    pipe.send("ready")
    # Both in C: no line of Python is between the signal and the wait.
    list(map(partial.__call__, [send, wait]))


if __name__ == "__main__":
    receiver, sender = Pipe(duplex=False)
    worker = Process(target=work, args=(sender,))
    worker.start()
    receiver.recv()
    print("the first is handled:", receiver.poll(0.5))
    #> the first is handled: False
    worker.terminate()
    print("the second is", receiver.recv())
    #> the second is handled
    worker.join()
    print("exit code", worker.exitcode)
    #> exit code 143
