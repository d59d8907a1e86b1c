"""Which child this thread has just forked, beside the orphans that come meanwhile."""

import mmap
import os
import threading
from contextlib import suppress
from typing import Any, NamedTuple

from process_terminate._process import table
from process_terminate._process.handle import monotonic
from process_terminate._tree import tags

#: Not every system has sched_yield().
_os: Any = os
#: Bytes of a pid.
_SIZE = 8
#: Seconds in which a forked child has told its pid.
_WAIT = 0.2


class Fork(NamedTuple):
    """What there was just before this thread forked."""

    #: The children of this thread.
    children: tuple[int, ...]
    #: The pid that the system had given last; 0 if unknown.
    newest: int
    #: Memory in which the child writes its pid.
    shared: mmap.mmap | bytearray


class _BeforeFork(threading.local):
    """The last fork of this thread; None if nothing was noted."""

    fork: Fork | None = None


_before = _BeforeFork()


def look_before(*, noting: bool) -> None:
    """Note what there is before this thread forks, if that is of interest."""
    _before.fork = None
    if noting:
        shared: mmap.mmap | bytearray = bytearray(_SIZE)  # Where there is no memory.
        with suppress(OSError):
            shared = mmap.mmap(-1, _SIZE)
        _before.fork = Fork(_children_of_thread(), _newest_pid(), shared)


def tell() -> None:
    """Write the pid of this process, which was forked just now, for its parent."""
    if _before.fork is not None:
        _before.fork.shared[:] = os.getpid().to_bytes(_SIZE, "little")
        _before.fork = None


def forked() -> int | None:
    """Return the child that this thread has just forked; None if there is none.

    An orphan may come to this process at the same time. That of an earlier child has
    another tag, and most others are older than the fork. If several processes are
    left, the child tells which one it is.
    """
    if _before.fork is None:
        return None
    old, newest, shared = _before.fork
    _before.fork = None
    mine, until = {tags.read(0), None}, _newest_pid()
    new = [pid for pid in _children_of_thread() if pid not in old]
    new = [pid for pid in new if tags.read(pid) in mine]
    new = [pid for pid in new if _is_between(pid, newest, until)] or new
    end = monotonic() + _WAIT
    while len(new) > 1 and monotonic() < end:
        if (told := int.from_bytes(shared[:], "little")) in new:
            return told
        _os.sched_yield()  # gevent would run another greenlet in time.sleep().
    return next(iter(new), None)


def _is_between(pid: int, old: int, new: int) -> bool:
    """Return whether a pid was given after one, and not after another one."""
    return old < pid <= new if old <= new else pid > old or pid <= new


def _newest_pid() -> int:
    """Return the pid that the system has given last, see proc_loadavg(5)."""
    with suppress(OSError):
        return int((table.read(".", "loadavg") or b"0").split()[-1])
    return 0


def _children_of_thread() -> tuple[int, ...]:
    """Return the pids of the children of this thread, the oldest first."""
    with suppress(OSError):
        return tuple(map(int, table.read("thread-self", "children").split()))
    return ()
