"""A second thread restarts each of four workers; the process ignores SIGTERM."""

import os
import signal
import threading

from grow import child, ignore_sigterm, report, rest, root_of


def work() -> None:
    """Rest until SIGTERM."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    rest()


def supervise() -> None:
    """Have four workers, forever."""
    for _ in range(4):
        child(work)
    report()
    while True:
        os.wait()
        child(work)


ignore_sigterm()
threading.Thread(target=supervise).start()
root_of(5)
