"""A child has a session of its own, and its child has another one."""

import os

from grow import child, rest, root_of


def alone() -> None:
    """Be the leader of a session."""
    os.setsid()
    rest()


def leader() -> None:
    """Be the leader of a session, with a child that leaves it."""
    os.setsid()
    child(alone)
    rest()


child(leader)
root_of(2)
