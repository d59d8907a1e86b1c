"""`stop_tree`."""

import os
import signal as signals
import threading
from contextlib import ExitStack, closing
from dataclasses import dataclass

from process_terminate import _processes, _subreaper, _tags
from process_terminate._adapters import Adapter, AnyProcess, adapt
from process_terminate._ending import checked_grace, checked_signal
from process_terminate._exit_status import ExitStatus
from process_terminate._handle import Handle
from process_terminate._processes import Entry, look_up
from process_terminate._tree import Member, Tree, servers
from process_terminate._tree_ending import end_tree
from process_terminate._waits import Steps, run


@dataclass(frozen=True)
class StoppedProcess:
    """A process that [`stop_tree()`][process_terminate.stop_tree] stopped or found dead."""

    pid: int
    """The pid that it had; another process may have it by now."""
    name: str
    """The name of its program, as ps(1) shows it, cut to 15 letters on Linux."""
    signal: signals.Signals | None
    """The last signal that was sent to it; `None` if it was dead already."""
    status: ExitStatus
    """How it ended; unknown if its parent was another process."""


def stop_tree(
    process: AnyProcess, *, grace: float = 5.0, signal: int = signals.SIGTERM
) -> list[StoppedProcess]:
    """DOC-stop_tree."""
    return run(stopping_tree(process, grace, signal))


def stopping_tree(
    process: object, grace: float, signal: int, *, loop: bool = False
) -> Steps[list[StoppedProcess]]:
    """Take the steps of `stop_tree()`."""
    seconds, first = checked_grace(grace), checked_signal(signal)
    target = adapt(process, "stop_tree", loop=loop)
    _processes.require("stop_tree")
    with closing(target):
        handle = target.find()
        entry = look_up(handle.pid) if handle else None
        if handle is None or entry is None or handle.is_dead():
            name = entry.name if entry else ""
            status = yield from target.status()
            return [StoppedProcess(target.pid, name, None, status)]
        return (yield from _ending(target, handle, entry, seconds, first))


def _ending(
    target: Adapter, handle: Handle, entry: Entry, grace: float, first: signals.Signals
) -> Steps[list[StoppedProcess]]:
    """End the tree of a process that lives."""
    with ExitStack() as stack:
        tree = Tree(_tags.fresh(), servers())
        if stack.enter_context(_subreaper.adopting()):
            tree.sources = {os.getpid()}
        root = tree.add(entry, handle)
        root_handles = {entry.key}
        if tree.tag and not tree.tag.covers(_tags.read(entry.pid)):
            if _tags.read(entry.pid) is not None:
                tree.tag = None
        if tree.tag is None:
            tree.earlier = _processes.descendants({os.getpid()})
            of_tree = _processes.descendants({entry.pid}) | root_handles
            tree.is_alone = tree.earlier <= of_tree and threading.active_count() == 1
        owned = frozenset({entry.pid})  # Its object reaps it.
        try:
            yield from end_tree(tree, grace, first, owned)
        finally:
            status = yield from target.status()
            tree.reap(owned)
            del tree.members[entry.key]  # Closed with the target.
            tree.close()
    others = tree.members.values()
    return [
        _stopped(root, status),
        *(_stopped(other, ExitStatus(other.exit_code, gone=True)) for other in others),
    ]


def _stopped(member: Member, status: ExitStatus) -> StoppedProcess:
    return StoppedProcess(member.entry.pid, member.entry.name, member.signal, status)
