"""A child has a child, and then becomes another program."""

import os

from grow import child, report, rest, root_of


def become_another() -> None:
    """Have a child, and exec."""
    child(rest)
    report()
    os.execvp("sleep", ["sleep", "600"])


child(become_another)
root_of(2)
