"""A chain of 50 levels, each the child of the one before."""

from grow import child, rest, root_of

LEVELS = 50


def go_down(levels: int) -> None:
    """Have a child that goes down further."""
    if levels > 1:
        child(lambda: go_down(levels - 1))
    rest()


child(lambda: go_down(LEVELS))
root_of(LEVELS)
