"""`no_orphans`: no process that a block of code has started outlives it."""

import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

from process_terminate import _subreaper
from process_terminate._family import Family
from process_terminate._stop import checked_grace

_lock = threading.RLock()


@contextmanager
def no_orphans(*, grace: float = 5.0) -> Iterator[None]:
    """End every process that was started inside the block, when it is left.

    However a process hides, by `setsid`, a double fork, or a dead parent, it is
    [found](../examples/family/escape_from_a_tree.md): at the end of the block the processes get `SIGTERM`, after `grace`
    seconds they are stopped and get `SIGKILL`, and they are reaped.
    That happens also when an exception leaves the block, Ctrl-C too, and the
    exception passes through.

    [Who survives](../evidence/survivors.md) shows how it fares with hostile
    processes.

    Children that were there before are left alone, and so are the two servers
    that `multiprocessing` keeps for the whole program: its resource tracker and
    its forkserver, but not the forkserver's workers.
    A process that another thread starts meanwhile counts as started inside.

    Blocks may be nested: each ends what was started inside it.
    While one thread is inside a block, another cannot enter one, because nobody
    could tell whose orphan an orphan is.

    On Linux this process is child subreaper inside the block, and afterwards
    what it was before.
    Other systems have no such means, and the promise could not be kept: there
    it raises `RuntimeError` instead of promising less.

    Args:
        grace: Seconds between `SIGTERM` and `SIGKILL`; 0 kills at once.

    Yields:
        Nothing.

    Raises:
        TypeError: If `grace` is not a number.
        ValueError: If `grace` is negative or not finite.
        RuntimeError: If the system is not Linux, or another thread is inside
            such a block.
        PermissionError: If the system forbids to signal one of the processes.
        TimeoutError: If one is alive 10 seconds after `SIGKILL`, or new ones
            appear faster than they can be killed.

    Warning: Caveats
        - It cannot help when the process that it runs in is itself ended by a
          signal: then the block has no end.
          [Proof](../examples/family/kill_the_keeper.md)

    Info: See also
        [`stop_tree()`](stop_tree.md) for one process and its descendants.
    """
    grace = checked_grace(grace)
    if not _subreaper.AVAILABLE:
        raise RuntimeError(
            f"no_orphans() needs the child subreaper of Linux; {sys.platform} has "
            "none: use stop_tree() for each process that you start"
        )
    if not _lock.acquire(blocking=False):
        raise RuntimeError(
            "another thread is inside a block of no_orphans(): "
            "nobody could tell whose orphan an orphan is"
        )
    try:
        with _keeping(grace):
            yield
    finally:
        _lock.release()


@contextmanager
def _keeping(grace: float) -> Iterator[None]:
    """Be child subreaper in the block, and end what is new at its end."""
    was_set = _subreaper.is_set()
    with closing(Family(have_objects=True)) as family:
        family.survey()
        family.adopt()
        _subreaper.switch(True)
        try:
            yield
        finally:
            try:
                family.end(grace)
                family.reap_through_objects()
                family.reap()
            finally:
                _subreaper.switch(was_set)
