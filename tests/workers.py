"""What the processes of the tests do: importable by a child of any start method."""

import signal
import time
from multiprocessing import parent_process
from multiprocessing.connection import Connection

from process_terminate import terminate


def rest(ready: Connection) -> None:
    """Do nothing until somebody ends it."""
    ready.send("ready")
    time.sleep(60)


def ignore_sigterm(ready: Connection) -> None:
    """Do nothing, and be deaf to SIGTERM."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    rest(ready)


def terminate_the_parent(report: Connection) -> None:
    """Try to end the parent through the object that multiprocessing gives."""
    parent = parent_process()
    assert parent is not None
    try:
        terminate(parent)
    except ValueError as error:
        report.send(str(error))
