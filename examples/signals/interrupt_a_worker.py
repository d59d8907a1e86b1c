"""Interrupt a worker, as Ctrl-C does: finally runs."""

# /// script
# requires-python = ">=3.14"
# ///
import sys
import time
from multiprocessing import Pipe, Process


def work(pipe):
    try:
        pipe.send("ready")
        while True:
            time.sleep(0.1)
    except KeyboardInterrupt:
        sys.exit(130)  # Or a traceback, and exit code 1.
    finally:
        pipe.send("finally ran")


if __name__ == "__main__":
    receiver, sender = Pipe(duplex=False)
    worker = Process(target=work, args=(sender,))
    worker.start()
    receiver.recv()
    worker.interrupt()
    worker.join()
    print(receiver.recv(), "exit code", worker.exitcode)
    #> finally ran exit code 130
