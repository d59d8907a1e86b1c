"""Read the exit code of a worker that returned, exited or died."""

import io
import os
import signal
import sys
from multiprocessing import Process


def rest():
    return 7  # A return value is not an exit code.


def leave():
    sys.exit(3)


def fail():
    sys.stderr = io.StringIO()  # Keeps the traceback off your screen.
    raise RuntimeError("out of luck")


def die():
    os.kill(os.getpid(), signal.SIGTERM)


def report(target):
    worker = Process(target=target)
    worker.start()
    worker.join()
    print(target.__name__, worker.exitcode)
    #> rest 0
    #> leave 3
    #> fail 1
    #> die -15


if __name__ == "__main__":
    for target in (rest, leave, fail, die):
        report(target)
