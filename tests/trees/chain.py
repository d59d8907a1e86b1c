"""A child forks and exits, its child forks and exits, and so on forever."""

import os

from grow import child, is_released, report, root_of


def link() -> None:
    """Fork and exit again and again."""
    report()
    while not is_released():
        if os.fork():
            os._exit(0)


child(link)
root_of(1)
