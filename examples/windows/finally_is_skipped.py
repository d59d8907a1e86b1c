"""Terminate a worker whose handler, finally and atexit do not run."""

# /// script
# [tool.evidence]
# platforms = ["win32"]
# ///

import atexit
import signal
import sys
import time
from multiprocessing import Pipe, Process


def work(ready):
    atexit.register(print, "atexit ran", flush=True)
    signal.signal(signal.SIGTERM, lambda *args: sys.exit("handled"))
    try:
        ready.send(callable(signal.getsignal(signal.SIGTERM)))
        time.sleep(60)
    finally:
        print("finally ran", flush=True)


if __name__ == "__main__":
    receiver, sender = Pipe(duplex=False)
    worker = Process(target=work, args=(sender,))
    worker.start()
    print("a handler is set:", receiver.recv())
    #> a handler is set: True
    worker.terminate()
    worker.join()
    print("exit code:", worker.exitcode)
    #> exit code: -15
