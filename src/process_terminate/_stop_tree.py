"""`stop_tree`."""

import os
import signal as signals
from contextlib import closing
from dataclasses import dataclass

from process_terminate._exit_status import ExitStatus
from process_terminate._process import table
from process_terminate._process.adapters import Adapter, AnyProcess, adapt
from process_terminate._process.ending import checked_grace, checked_signal
from process_terminate._process.gate import Gate
from process_terminate._process.table import look_up
from process_terminate._process.waits import Steps, after_turns, run
from process_terminate._tree import caller, subreaper, tags
from process_terminate._tree.ending import appearing, end_tree
from process_terminate._tree.member import Member
from process_terminate._tree.tree import Tree, hidden_children, servers


@dataclass(frozen=True)
class StoppedProcess:
    """One process that [`stop_tree()`][process_terminate.stop_tree] has stopped.

    Or one that was already dead when `stop_tree()` found it.
    """

    pid: int
    """The pid that it had. Another process may have the same pid by now."""
    name: str
    """The name of its program, as ps(1) shows it. Linux cuts it to 15 letters."""
    signal: signals.Signals | int | None
    """The last signal that was sent to it, or `None` if it was already dead.
    A real-time signal is a plain number."""
    status: ExitStatus
    """How it exited or was killed. Unknown if its parent was another process."""


def stop_tree(
    process: AnyProcess, *, grace: float = 5.0, signal: int = signals.SIGTERM
) -> list[StoppedProcess]:
    """Stop a process and all its descendants, and return the status of each.

    It sends `SIGTERM` to all processes of the tree and waits up to `grace` seconds.
    Then it pauses the remaining processes with `SIGSTOP`, rescans until no new process
    has appeared, and sends `SIGKILL` to all of them.
    If an exception interrupts the call, for example Ctrl-C, it kills the tree at once,
    and raises the exception. It leaves no process paused.

    **When to use it:** if the process starts other processes, for example if it is a
    shell, a supervisor, or a worker with its own workers.
    It finds descendants that appear while it works, such as replaced workers.

    **When not to use it:** if a descendant may have lost its parent before the call.
    Such an orphan no longer belongs to the tree, so use
    [`no_orphans()`][process_terminate.no_orphans].
    If a service must clean up in order, only its root should get the signal, so use
    [`stop()`][process_terminate.stop].

    **Linux:** Each process of the tree gets a tag that its children inherit: a value
    of the resource limit `RLIMIT_LOCKS`, which the kernel has not used since 2.4.
    With the tag `stop_tree()` recognizes an orphan of the tree wherever it is. If another
    program has the same tag by chance, its processes are left alone unless they are
    younger than the root and their parent is process 1 or an ancestor of the root.
    A child that is being forked when its parent gets the tag may not get it. So before
    the first signal `stop_tree()` waits up to 20 ms until each process has been seen
    asleep, and looks for new children. This was tried on a process of 300 MB that
    forked every 20 ms and called `sys.exit()` on `SIGTERM`. A child was left in 0 of 40
    trees, and in 7 of 20 without that wait (Python 3.11). If a process does not sleep
    within that time, a child may still be left.
    The calling process is a child subreaper during the call: orphans come to it.
    An orphan of another child that comes meanwhile is left alone. It stays a child of
    your program, and is a zombie when it is dead, until you call `os.waitpid()`.
    It stops an orphan without the tag only if no other code of your program can have
    started it. That means one thread, no greenlets, no event loop, no other running
    child, not process 1, no signal handler of yours that ran during the call, and no
    logging handler of yours that gets the debug messages. Otherwise that orphan keeps
    running. A daemon that a `__del__`, an audit hook or a `sys.setprofile()` function of
    yours starts during the call looks like such an orphan, and is stopped.
    Without tags (a hard limit on `RLIMIT_LOCKS`, another user's process) an orphan
    that may belong to another child is left alone, and a warning is logged.
    Resource trackers of `multiprocessing` and loky are stopped last, because they
    remove the shared memory of the other processes.
    While processes are paused, a signal that would terminate your program, such as
    `SIGTERM`, waits until they are killed. Only a call in the main thread can do that.
    In another thread the processes are killed without a pause, the oldest first. They
    are paused there only if new ones still appear after ten rounds, or if there are no
    tags. If a signal terminates your program then, they stay paused.

    **macOS and BSD:** It cannot reach an orphan (not tested).

    **Windows:** All processes are suspended at once (from psutil's source; Wine does
    not show this), and killed by `TerminateProcess`. There is no grace period. This ran
    on Wine 10, not on Windows
    ([example: stop a tree on Windows](../examples/windows/stop_a_tree.md)).

    It is compared with other ways to stop a tree in
    [Which processes survive when a tree is stopped?](../evidence/survivors.md)

    Args:
        process: Any process that [`stop()`][process_terminate.stop] takes.
        grace: Seconds between the first signal and `SIGKILL`. 0 kills at once.
        signal: The first signal, for example `signal.SIGINT`.

    Returns:
        One [`StoppedProcess`][process_terminate.StoppedProcess] per process. The
            root comes first.

    Raises:
        TypeError: As for `stop()`, before any signal is sent.
        ValueError: As for `stop()`, before any signal is sent.
        RuntimeError: If `/proc` is missing on Linux, belongs to another pid namespace,
            or may not be read in a sandbox. It is raised before any signal is sent.
        OSError: If your program has as many files open as its hard limit permits
            (`ulimit -Hn`). It is raised before any signal is sent.
        PermissionError: If you may not signal a process of the tree, for example
            because it belongs to another user. If `/proc` hides the processes of other
            users (mount option `hidepid`), also if it hides `process`, because the
            descendants cannot be found then, or an orphan that only this tree can have
            left.
        TimeoutError: If a process is still running 10 seconds after `SIGKILL`, or new
            ones appear faster than they can be killed.

    Warning: Caveats
        - A descendant that lost its parent before the call does not belong to the
          tree
          ([example: escape from a tree](../examples/children/escape_from_a_tree.md)).
        - Shared objects may be unusable afterwards. For example, a lock that a
          process held stays locked
          ([example: lock of a dead process](../examples/queues/terminate_a_lock_holder.md)).
    """
    return run(stopping_tree(process, grace, signal))


def stopping_tree(
    process: object,
    grace: float,
    signal: int,
    *,
    loop: bool = False,
    ancestors: bool = False,
) -> Steps[list[StoppedProcess]]:
    """Take the steps of `stop_tree()`."""
    seconds, first = checked_grace(grace), checked_signal(signal)
    with table.Room():
        target = adapt(process, "stop_tree", loop=loop, ancestors=ancestors)
        table.require("stop_tree")
        return (
            yield from after_turns(
                loop, seconds, lambda grace: _stopped_tree(target, grace, first)
            )
        )


def _stopped_tree(
    target: Adapter, grace: float, first: int
) -> Steps[list[StoppedProcess]]:
    # A handler that raises must leave neither the tree running nor this process a
    # subreaper.
    with Gate() as gate, closing(target):
        handle = target.find()
        if handle:
            yield from appearing([handle.pid])
        entry = look_up(handle.pid) if handle else None
        if handle and not entry and not handle.is_dead():
            raise PermissionError(
                f"/proc hides pid {handle.pid} from this user, so its tree is unknown"
            )
        if handle is None or entry is None or handle.is_dead():
            name = entry.name if entry else ""
            status = yield from target.status()
            return [StoppedProcess(target.pid, name, None, status)]
        tree = Tree(None, servers())
        tree.gate = gate
        root = tree.add(entry, handle)
        return (yield from _stopped_alive(target, tree, root, grace, first))


def _stopped_alive(
    target: Adapter, tree: Tree, root: Member, grace: float, first: int
) -> Steps[list[StoppedProcess]]:
    """Stop the tree of a process that is alive."""
    tree.owned = lambda: {root.entry.pid}
    with subreaper.adopting() as adopts:
        tree.sources = {os.getpid()} if adopts else set()
        try:
            yield from end_tree(tree, grace, first, lambda: _tag(tree, root))
        finally:
            status = yield from target.status()
            tree.reap()
            del tree.members[root.entry.key]  # Closed with the target.
            tree.close()
    others = tree.members.values()
    return [
        _stopped(root, status),
        *(_stopped(other, ExitStatus(other.exit_code, gone=True)) for other in others),
    ]


def _tag(tree: Tree, root: Member) -> None:
    """Tag the root; where that cannot be, note which orphans are not of its tree."""
    entry, tag = root.entry, tags.fresh()
    # Another user's process cannot be tagged, but its descendants may be.
    if tag and (tags.write(entry.pid, tag.value) or tags.read(entry.pid) is None):
        tree.tag = tag
    look = table.child_entries if tree.tag else table.descendants_twice
    tree.hidden = hidden_children()
    tree.tell_apart(look({os.getpid(), *servers()}, entry.pid))
    tree.is_alone &= caller.has_one_thread()
    tree.reapers, tree.since = {1} | table.ancestors(entry.parent), entry.started


def _stopped(member: Member, status: ExitStatus) -> StoppedProcess:
    return StoppedProcess(member.entry.pid, member.entry.name, member.signal, status)
