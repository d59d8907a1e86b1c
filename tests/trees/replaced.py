"""Each of five workers forks a replacement on SIGTERM, and exits."""

import os
import signal

from grow import child, rest, root_of


def replace(*_: object) -> None:
    """Fork a child that continues, and exit."""
    if os.fork():
        os._exit(0)


def work() -> None:
    """Rest, and fork a replacement on SIGTERM."""
    signal.signal(signal.SIGTERM, replace)
    rest()


for _ in range(5):
    child(work)
root_of(5)
