"""Whether a process waits for processes that all wait for each other."""

from __future__ import annotations

import signal
from collections.abc import Iterator

from process_terminate._diagnose.calls import POLLS, Blocked, decode
from process_terminate._diagnose.findings import Finding, finding, name_of
from process_terminate._diagnose.peers import Machine, files_of
from process_terminate._diagnose.reading import GoneError, Process
from process_terminate._diagnose.semaphores import semaphore_at
from process_terminate._diagnose.waits import brief

#: A handler of one of these may wake the process: programs wait for such signals.
_WAKING = ("SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGQUIT", "SIGIO")
#: A handler of this one may wake it after a time, or is left by a parent.
_TIMER = ("SIGALRM",)
_MOST = 200


def deadlock_findings(process: Process, machine: Machine) -> Iterator[Finding]:
    """Yield why the process waits forever, if that is certain."""
    members = _closed(process, machine)
    if not members or not _is_asleep(members):
        return
    wait = decode(process, process.threads[0])
    certain = _is_certain(members, machine)
    if len(members) == 1 and wait.kind == "files":
        yield finding(
            "own-pipe",
            "Only the process itself has the other end of that pipe, and all its "
            "threads wait: it will wait forever.",
            do="Close the end that you do not use, in each process. Terminate it.",
            certain=certain,
        )
    elif wait.kind == "semaphore" and _is_abandoned(members):
        yield finding(
            "abandoned-semaphore",
            "Each process that has it waits for it, or for such a process: no process "
            "is left that could release it, so it will wait forever.",
            *(_fact(member, machine) for member in members),
            do="Terminate all of them, and make a new lock or queue.",
            certain=certain,
        )
    else:
        yield finding(
            "deadlock",
            "It waits for itself: each process and thread that could continue it "
            "waits for another one of them.",
            *(_fact(member, machine) for member in members),
            do="Terminate it."
            if len(members) == 1
            else "End one of them, and change the order in which they wait.",
            certain=certain,
        )


def _is_certain(members: list[Process], machine: Machine) -> bool:
    """Return whether neither a process that is not seen nor a timer can end the wait."""
    oldest = min(process.stat.started for process in members)
    timers = any(_handles(process, _TIMER) for process in members)
    return not timers and not machine.hidden_since(oldest)


def _fact(process: Process, machine: Machine) -> str:
    waits = [brief(process, thread, machine) for thread in process.threads]
    return f"{name_of(process.pid)}: {'; '.join(list(dict.fromkeys(waits))[:4])}"


def _closed(process: Process, machine: Machine) -> list[Process]:
    """Return all processes that could continue a process; none if one of them can."""
    members: dict[int, Process] = {}
    waiting = [process.pid]
    while waiting:
        pid = waiting.pop()
        if pid in members:
            continue
        if len(members) == _MOST:
            return []
        try:
            other = process if pid == process.pid else Process(pid)
        except GoneError:
            return []
        if _may_continue(other):
            return []
        members[pid] = other
        for thread in other.threads:
            wakers = _wakers(other, decode(other, thread), machine)
            if wakers is None:
                return []
            waiting.extend(wakers)
    return list(members.values())


def _may_continue(process: Process) -> bool:
    """Return whether a process runs, or may be woken by a signal."""
    if _handles(process, _WAKING) or not process.threads:
        return True
    return any(thread.state != "S" for thread in process.threads)


def _handles(process: Process, names: tuple[str, ...]) -> bool:
    caught = process.mask("SigCgt")
    return any(caught >> (getattr(signal, name) - 1) & 1 for name in names)


def _wakers(process: Process, wait: Blocked, machine: Machine) -> set[int] | None:
    """Return the processes that can end a wait; None if something else can."""
    if wait.limit is not None:
        return None
    if wait.kind == "thread":
        return {process.pid}
    if wait.kind == "child":
        return {wait.child} if wait.child else set(machine.children(process.pid))
    if wait.kind == "semaphore":
        found = semaphore_at(process, wait.address)
        return machine.sharers[found] if found else None
    if wait.kind == "files":
        return _wakers_of_files(process, wait, machine)
    return None


def _wakers_of_files(
    process: Process, wait: Blocked, machine: Machine
) -> set[int] | None:
    pids: set[int] = set()
    files = files_of(process, wait, machine)
    for file in files:
        if not file.wakers:
            return None
        pids |= file.wakers
    # An event loop has both ends of a pipe, so that a signal can wake it.
    if not files or (wait.call in POLLS and process.pid in pids):
        return None
    return pids


def _is_asleep(members: list[Process]) -> bool:
    """Return whether no thread has run since it was read.

    Then all of them were asleep at the same moment, so none was about to wake another.
    """
    try:
        return all(_calls(Process(one.pid)) == _calls(one) for one in members)
    except GoneError:
        return False


def _calls(process: Process) -> set[tuple[object, ...]]:
    """Return the call that each thread is in, which no two calls of a thread share."""
    return {(one.tid, one.state, one.switches, one.call) for one in process.threads}


def _is_abandoned(members: list[Process]) -> bool:
    """Return whether all threads wait for one semaphore, or for a child that does."""
    found = set()
    for process in members:
        for thread in process.threads:
            wait = decode(process, thread)
            if wait.kind == "semaphore":
                found.add(semaphore_at(process, wait.address))
            elif wait.kind != "child":
                return False
    return len(found) == 1
