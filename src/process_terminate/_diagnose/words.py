"""Processes and files in the words of a report."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from process_terminate._diagnose.reading import GoneError, Process

if TYPE_CHECKING:
    from process_terminate._diagnose.peers import File

#: A list of processes or files is cut after so many.
MOST_NAMED = 5


def name_of(pid: int) -> str:
    """Return a process for people: its pid and the start of its command."""
    if pid == os.getpid():
        return f"pid {pid} (the calling process)"
    try:
        program, _, rest = Process(pid).command.partition(" ")
    except GoneError:
        return f"pid {pid} (gone)"
    command = f"{program.rsplit('/', 1)[-1]} {rest}".rstrip()
    short = command if len(command) <= 60 else command[:57] + "..."
    return f"pid {pid} ({short})"


def who(process: Process, pids: frozenset[int] | None) -> str:
    """Return some processes as the subject of a sentence."""
    if not pids:
        return "no process that can be seen"
    others = pids - {process.pid}
    if not others:
        return "only the process itself"
    named = count_of(others)
    return f"{named} and the process itself" if process.pid in pids else named


def count_of(pids: frozenset[int] | set[int]) -> str:
    """Return how many processes there are, or which one it is."""
    if len(pids) > 1:
        return f"{len(pids)} other processes"
    (pid,) = pids
    return "the calling process" if pid == os.getpid() else f"pid {pid}"


def fact_of(process: Process, file: File) -> str:
    """Return a file, and which processes can make it ready."""
    if not file.wakers:
        return file.what
    named = [
        "itself" if pid == process.pid else name_of(pid) for pid in sorted(file.wakers)
    ]
    more = f" and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
    return f"{file.what}; other end: {', '.join(named[:MOST_NAMED])}{more}"


def ask(process: Process) -> str:
    """Return how to see the line of Python, or of another language."""
    name = process.command
    if "python" in name or "pypy" in name:
        return f"See the line: py-spy dump --pid {process.pid}, or faulthandler."
    return f"See the call: gdb -p {process.pid}, or strace -p {process.pid}."
