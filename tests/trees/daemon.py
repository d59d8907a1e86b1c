"""A daemon as in textbooks: two forks, and a session of its own."""

import os

from grow import child, rest, root_of


def leave() -> None:
    """Start the daemon, and exit."""
    os.setsid()
    child(rest)


os.waitpid(child(leave), 0)
root_of(1)
