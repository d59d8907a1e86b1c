"""A supervisor adopts the daemons that its three workers leave on SIGTERM."""

import ctypes
import os
import signal

from grow import child, ignore_sigterm, rest, root_of

PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


def leave(*_: object) -> None:
    """Leave a daemon in a session of its own, and exit."""
    if os.fork():
        os._exit(0)
    os.setsid()


def work() -> None:
    """Rest, and leave a daemon on SIGTERM."""
    signal.signal(signal.SIGTERM, leave)
    rest()


ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, *[ctypes.c_ulong(1)] * 4)
ignore_sigterm()
for _ in range(3):
    child(work)
root_of(3)
