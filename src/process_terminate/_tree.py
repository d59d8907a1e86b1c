"""`stop_tree`: end a process with all its descendants."""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Literal

from process_terminate import _subreaper
from process_terminate._census import look_up
from process_terminate._exit_status import ExitStatus
from process_terminate._family import Family, Member
from process_terminate._stop import AnyProcess, Target, checked_grace


@dataclass(frozen=True)
class Ended:
    """A process that [`stop_tree()`](stop_tree.md) has ended, or found dead."""

    pid: int
    """The pid that it had, which may be another's by now."""
    name: str
    """The name of its program, as ps(1) shows it, cut to 15 letters on Linux."""
    by: Literal["nothing", "SIGTERM", "SIGKILL"]
    """The last signal that was sent to it; nothing, if it was dead already."""
    status: ExitStatus
    """How it ended; unknown, if its parent was another process."""


def stop_tree(process: AnyProcess, *, grace: float = 5.0) -> list[Ended]:
    """End a process and all its descendants, and return how each ended.

    Sends `SIGTERM` to the process and to all its descendants, and waits up to
    `grace` seconds.
    Then it stops all that are alive with `SIGSTOP`, from the top down, looks
    again until nothing new has appeared, and sends `SIGKILL` to all.
    Descendants that appear while it works, because a worker is replaced or a
    supervisor [starts it again](../examples/family/stop_a_tree.md), are found
    and ended in the same way.

    On Linux, in a program with one thread, this process is made child subreaper
    for the time, so that descendants whose parent dies meanwhile come to it and
    stay in sight.
    In a program with several threads it is not, because a child that another
    thread starts could be taken for such an orphan.
    [Who survives](../evidence/survivors.md) shows what that is worth, beside
    other ways to end a tree.
    On macOS and the BSDs orphans are out of sight.
    On Windows no process gets a grace period: all are suspended at once, and
    ended by `TerminateProcess` (from the sources, not run).

    Args:
        process: What [`stop()`](stop.md) takes.
        grace: Seconds between `SIGTERM` and `SIGKILL`; 0 kills at once.

    Returns:
        Each process of the tree, the given one first.

    Raises:
        TypeError: As for `stop()`, before any signal is sent.
        ValueError: As for `stop()`, before any signal is sent.
        PermissionError: If the system forbids to signal one of them.
        TimeoutError: If one is alive 10 seconds after `SIGKILL`, or new ones
            appear faster than they can be killed.

    Warning: Caveats
        - A descendant whose parent was dead before the call is an orphan, and
          belongs to the tree no more; [`no_orphans()`](no_orphans.md) holds it.
          [Proof](../examples/family/escape_from_a_tree.md)
        - What the processes shared with others may be damaged: a lock that one
          of them held stays locked.
          [Proof](../examples/shared/end_a_lock_holder.md)

    Info: See also
        [`stop()`](stop.md) for one process,
        [`no_orphans()`](no_orphans.md) for all that a block of code has started.
    """
    grace = checked_grace(grace)
    target = Target(process, "stop_tree")
    handle = target.find()
    entry = look_up(handle.pid) if handle else None
    if handle is None or entry is None:
        with closing(target):
            return [Ended(target.pid, "", "nothing", target.status())]
    with closing(Family(have_objects=False)) as family:
        root = family.add(entry, handle)
        if entry.is_dead:
            return [_ended(root, target.status())]
        family.survey()
        with _adopting(family):
            family.end(grace)
            status = target.status()
            family.reap()
    others = [member for member in family.members.values() if member is not root]
    return [
        _ended(root, status),
        *(_ended(member, ExitStatus(member.exit_code)) for member in others),
    ]


@contextmanager
def _adopting(family: Family) -> Iterator[None]:
    """Be child subreaper, if orphans can be told from children."""
    if not _subreaper.AVAILABLE or threading.active_count() > 1:
        yield
        return
    was_set = _subreaper.is_set()
    family.adopt()
    _subreaper.switch(True)
    try:
        yield
    finally:
        _subreaper.switch(was_set)


def _ended(member: Member, status: ExitStatus) -> Ended:
    return Ended(member.entry.pid, member.entry.name, member.told, status)
