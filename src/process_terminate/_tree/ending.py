"""How a process tree is stopped: asked, then stopped from growing, then killed."""

import signal
import sys
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress

from process_terminate._log import log
from process_terminate._process.ending import check_dead, noted, warn_of_kill
from process_terminate._process.gate import Gate
from process_terminate._process.handle import SIGCONT, SIGKILL, monotonic, open_handle
from process_terminate._process.printable import described
from process_terminate._process.table import is_hidden
from process_terminate._process.waits import (
    LAST_WAIT,
    NOTE_WAIT,
    Steps,
    Wait,
    pauses,
    wait_for,
)
from process_terminate._tree.member import Member
from process_terminate._tree.tree import Tree, hidden_children

#: Seconds until the first scan for descendants that appeared meanwhile, and at most.
_FIRST_SCAN, _LAST_SCAN = 0.05, 1.0
#: Seconds in which a stopped process must be seen to be stopped.
_FREEZE_WAIT = 2.0
#: Seconds in which a new process must be seen.
_APPEAR_WAIT = 0.2
#: Seconds in which a fork ends that began before the process got its tag.
_FORK_WAIT = 0.02
#: Rounds in which a tree may be killed without being stopped first.
_PATIENCE = 10
#: Rounds of killing, against a tree that does not stop growing.
_ROUNDS = 100


def end_tree(
    tree: Tree,
    grace: float,
    first: int,
    prepare: Callable[[], object] = lambda: None,
) -> Steps[None]:
    """Prepare, and stop all processes of a tree, and what appears meanwhile.

    On Windows no process is asked: TerminateProcess leaves no grace period, and a
    process that is suspended first cannot start another one.
    """
    with tree.gate or Gate() as gate:
        try:
            yield from _ask_then_force(tree, grace, first, prepare, gate)
        except BaseException:  # Such as one that another thread raises in this one.
            suspended = [m.handle for m in tree.alive() if m.suspended]
            for handle in suspended:
                handle.send(SIGKILL)
            yield wait_for(suspended, NOTE_WAIT)
            raise
    yield from _end_hidden(tree)
    if tree.doubtful:
        log.warning(
            "left alone, as they may descend from an earlier child: %s",
            ", ".join(f"pid {pid}" for pid in sorted(tree.doubtful)),
        )


def appearing(pids: Iterable[int]) -> Steps[None]:
    """Wait for a moment until the system shows processes that have just begun.

    With hidepid, /proc may hide a child of another user from its parent until the
    kernel has finished exec(), which is a little after Popen() has returned.
    """
    for short in pauses(_APPEAR_WAIT):
        if not any(map(is_hidden, pids)):
            return
        yield short


def _ask_then_force(
    tree: Tree, grace: float, first: int, prepare: Callable[[], object], gate: Gate
) -> Steps[None]:
    """Take the steps of end_tree(), which a second Ctrl-C must not interrupt."""
    ended = False
    asks = grace > 0 and sys.platform != "win32"
    try:
        prepare()
        if tree.members:
            tree.first_scan()
        else:
            tree.scan(lambda _: None)
        if asks:
            yield from _forking(tree)
            ended = yield from _ask(tree, grace, first, gate)
    except BaseException as error:  # Such as Ctrl-C during the wait.
        yield from noted(error, _force(tree, gate))
        raise
    if ended:
        return
    late = [m.handle for m in tree.alive() if asks and not m.is_tracker]
    shown = {handle: described(handle.pid) for handle in late}
    try:
        yield from _force(tree, gate)
    finally:
        warn_of_kill(shown, first, grace)


def _end_hidden(tree: Tree) -> Steps[None]:
    """Kill the orphans that /proc hides; raise if that is not permitted.

    Their tag cannot be read, so those that another child may have left, or another
    thread beside `stop_tree()` has started, are left alone.
    """
    found = hidden_children() - tree.hidden
    if not tree.owns_orphans:
        tree.doubtful |= found
        return
    with ExitStack() as stack:
        handles = []
        for pid in found:
            with suppress(ProcessLookupError):
                handle = stack.enter_context(open_handle(pid, child=True))
                handle.send(SIGKILL)
                handles.append(handle)
        yield wait_for([one for one in handles if not one.forbidden], NOTE_WAIT)
        for handle in handles:
            handle.exit_code(reap=True)
        check_dead(handles)


def _forking(tree: Tree) -> Steps[None]:
    """Take in the children that were being forked while their parents got a tag.

    They have no tag. If a parent dies first, they are not found.
    """
    for short in pauses(_FORK_WAIT):
        awake = [member for member in tree.members.values() if not member.note_sleep()]
        if tree.is_of_block or not awake:
            return
        yield short
        tree.scan(lambda _: None)


def _ask(tree: Tree, grace: float, first: int, gate: Gate) -> Steps[bool]:
    """Send the first signal to all, even to new ones; return whether all are dead."""
    until = monotonic() + grace

    def act(member: Member) -> None:
        # Trackers ignore the two usual signals, so there is no need to look.
        if first in (signal.SIGTERM, signal.SIGINT) or not member.is_tracker:
            member.send(first)

    for member in tree.alive():
        act(member)
    length = _FIRST_SCAN
    while (now := monotonic()) < until:
        with gate.opened():
            yield from _dying(tree, min(until, now + length))
        tree.reap()
        # Before the scan: a process that dies during it may leave a child unseen.
        alive = tree.alive()
        for member in alive:  # One that is not dead by now may be stopped.
            member.handle.send(SIGCONT)
        if not tree.scan(act):
            if not alive:
                return True
            if all(member.is_tracker for member in alive):
                return False  # They ignore signals, and wait for the end of a pipe.
        length = min(length * 2, _LAST_SCAN)
    return False


def _dying(tree: Tree, until: float) -> Steps[None]:
    """Wait until all are dead, or it is time."""
    for member in tree.members.values():
        if not member.handle.is_dead():
            yield Wait(until, [member.handle])


def _force(tree: Tree, gate: Gate) -> Steps[None]:
    """Stop all processes, until nothing new appears, and kill them."""
    # This process must not die while the tree is stopped by SIGSTOP.
    with Gate(fatal=True) as fatal:
        yield from _kill_rounds(tree, gate, fatal)
    yield from _end_trackers(tree)
    check_dead([member.handle for member in tree.members.values()])


def _kill_rounds(tree: Tree, gate: Gate, fatal: Gate) -> Steps[None]:
    """Stop and kill all processes but the resource trackers, until none is left."""
    for round_ in range(_ROUNDS):
        # If this process died now, what is stopped would stay so. Where that cannot be
        # prevented, only a tree that goes on growing is stopped.
        freezes = fatal.holds or not tree.tag or round_ >= _PATIENCE
        quiet = False
        try:
            if freezes:
                quiet = yield from _freeze(tree)
            else:
                quiet = not tree.scan(lambda _: None)
        finally:  # A process that is stopped must not be left so.
            victims = _victims(tree)
            for victim in victims:
                victim.send(SIGKILL)
        handles = [victim.handle for victim in victims]
        yield wait_for(handles, NOTE_WAIT)
        if not all(handle.is_dead() for handle in handles):
            with gate.opened(), fatal.opened():
                yield wait_for(handles, LAST_WAIT - NOTE_WAIT)
            if not all(handle.is_dead() for handle in handles):
                return
        if quiet and not victims:
            return
    raise TimeoutError(
        f"new processes appear faster than they can be killed, {_ROUNDS} times"
    )


def _victims(tree: Tree) -> list[Member]:
    """Return the living members that can be killed, but the resource trackers.

    The oldest comes first, so that it starts nothing in place of what is killed.
    """
    alive = sorted(tree.alive(), key=lambda member: member.entry.started)
    return [m for m in alive if not (m.is_tracker or m.handle.forbidden)]


def _end_trackers(tree: Tree) -> Steps[None]:
    """Let resource trackers clean up, which they do when all others are dead."""
    alive = [member for member in tree.alive() if not member.handle.forbidden]
    trackers = [member for member in alive if member.is_tracker]
    handles = [member.handle for member in trackers]
    yield wait_for(handles, NOTE_WAIT)
    for member in trackers:
        if not member.handle.is_dead():
            member.send(SIGKILL)
    yield wait_for(handles, LAST_WAIT)


def _freeze(tree: Tree) -> Steps[bool]:
    """Stop all members: what is stopped starts no process; return whether all are."""
    for short in pauses(_FREEZE_WAIT):
        # Before the scan, for the same reason as above.
        alive = tree.alive()
        quiet = all(member.is_still for member in alive)
        for member in alive:
            member.suspend()
        if not tree.scan(Member.suspend) and quiet:
            return True
        yield short
    return False
