"""Findings about the semaphores of multiprocessing."""

from __future__ import annotations

from collections.abc import Iterator

from process_terminate._diagnose import peers
from process_terminate._diagnose.calls import Blocked, decode
from process_terminate._diagnose.findings import (
    MOST_NAMED,
    Finding,
    count_of,
    finding,
    limit_of,
    name_of,
)
from process_terminate._diagnose.peers import Machine
from process_terminate._diagnose.reading import GoneError, Process


def semaphore_findings(
    process: Process, wait: Blocked, machine: Machine
) -> Iterator[Finding]:
    """Yield which processes share the semaphore that a process waits for."""
    found = semaphore_at(process, wait.address)
    if found is None:  # Another lock in shared memory, such as that of a database.
        return
    others = machine.sharers[found] - {process.pid}
    waiting = {pid for pid in others if _waits_for(pid, found)}
    facts = [
        name_of(pid)
        + (", waiting for it too" if pid in waiting else ", not waiting for it")
        for pid in sorted(others)[:MOST_NAMED]
    ]
    shared = (
        f"which it shares with {count_of(others)}"
        if others
        else "which no other process has"
    )
    yield finding(
        "waits-for-a-semaphore",
        f"It waits for a lock, queue, event or semaphore of multiprocessing, {shared}.",
        f"semaphore, inode {found.inode}",
        *facts,
        *limit_of(wait),
        do="Find the process that holds it among those that do not wait for it.",
    )


def semaphore_at(process: Process, address: int) -> peers.Semaphore | None:
    """Return the semaphore at an address of a process; None if there is none."""
    for start, end, semaphore in peers.mappings(process.read("maps").encode()):
        if start <= address < end:
            return semaphore
    return None


def _waits_for(pid: int, semaphore: peers.Semaphore) -> bool:
    try:
        other = Process(pid)
    except GoneError:
        return False
    waits = [decode(other, thread) for thread in other.threads]
    return any(
        wait.kind == "semaphore" and semaphore_at(other, wait.address) == semaphore
        for wait in waits
    )
