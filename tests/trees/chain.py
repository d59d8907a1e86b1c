"""A child that forks and exits, whose child forks and exits, for ever."""

import os

from grow import child, report, root_of


def link() -> None:
    """Be gone before anybody looks."""
    report()
    while True:
        if os.fork():
            os._exit(0)


child(link)
root_of(1)
