"""A child forks and exits, its child forks and exits, and so on forever."""

import os

from grow import child, report, root_of


def link() -> None:
    """Fork and exit again and again."""
    report()
    while True:
        if os.fork():
            os._exit(0)


child(link)
root_of(1)
