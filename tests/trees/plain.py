"""Three levels, with two children each."""

from grow import child, rest, root_of


def parent() -> None:
    """Have two children, and rest."""
    child(rest)
    child(rest)
    rest()


child(parent)
child(parent)
root_of(6)
