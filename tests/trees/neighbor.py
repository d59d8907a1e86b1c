"""On SIGTERM, which the tree ignores, an older child of the caller exits."""

import signal

from grow import child, let_neighbor_exit, rest, root_of


def ignore(*_: object) -> None:
    """Let the neighbor exit, whose orphans must keep running."""
    let_neighbor_exit()


signal.signal(signal.SIGTERM, ignore)
for _ in range(3):
    child(rest)
root_of(3)
