"""Tags: a number that every descendant of a process inherits.

Linux keeps a limit that nothing has used since 2.4.25, RLIMIT_LOCKS, see
getrlimit(2). A process inherits its value from the process that starts it, over
fork, exec and setsid, and other processes of its user can read it. So it shows
that a process descends from another one, even if every process between is dead.
Another system, or a hard limit on it, means that there are no tags.
"""

import secrets
import sys
from contextlib import suppress
from typing import Any, NamedTuple

if sys.platform == "win32":  # pragma: no cover
    resource: Any = None
else:
    import resource

    if not hasattr(resource, "getrlimit"):
        raise ImportError(
            f"{resource.__file__} hides Python's own module resource: rename that file"
        )

_RLIMIT_LOCKS = 10
#: The top bits of each tag, then three numbers: a tag, a tag within it, and so on.
_TAGGED = 2
_BITS = 20


class Tag(NamedTuple):
    """A value of the limit, and how many of its last bits tags within it may use."""

    value: int
    shift: int

    def covers(self, value: int | None) -> bool:
        """Return whether a process with this value has the tag, or one within it."""
        return value is not None and value >> self.shift == self.value >> self.shift


def fresh() -> Tag | None:
    """Return a tag within that of this process; None if there can be none."""
    value = read(0)
    if value is None:
        return None
    if value >> 3 * _BITS != _TAGGED:
        value, shift = _TAGGED << 3 * _BITS, 2 * _BITS
    elif value % (1 << 2 * _BITS) == 0:
        shift = _BITS
    elif value % (1 << _BITS) == 0:
        shift = 0
    else:
        return None
    # Two programs that call random.seed(0) must not get the same.
    number = 1 + secrets.randbelow((1 << _BITS) - 1)
    return Tag(value | number << shift, shift)


def read(pid: int) -> int | None:
    """Return the value of a process, 0 for this one; None if it cannot be read."""
    if sys.platform != "linux" or not hasattr(resource, "prlimit"):
        return None
    try:
        return resource.prlimit(pid, _RLIMIT_LOCKS)[0]
    except OSError:
        return None


def extend(pid: int, tag: Tag) -> None:
    """Give a process the tag, unless it has it or one within it."""
    if sys.platform != "linux" or not hasattr(resource, "prlimit"):
        return
    with suppress(OSError, ValueError):  # Another user's process, or a hard limit.
        value, hard = resource.prlimit(pid, _RLIMIT_LOCKS)
        if not tag.covers(value):
            resource.prlimit(pid, _RLIMIT_LOCKS, (tag.value, hard))


def write(pid: int, value: int) -> bool:
    """Set the value of a process, 0 for this one; return whether it has it now."""
    if sys.platform != "linux" or not hasattr(resource, "prlimit"):
        return False
    try:
        _, hard = resource.prlimit(pid, _RLIMIT_LOCKS)
        resource.prlimit(pid, _RLIMIT_LOCKS, (value, hard))
    except (OSError, ValueError):  # Another user's process, or a hard limit.
        return False
    return read(pid) == value
