"""Who is whose child: one look at all processes of the system."""

import os
import sys
from collections.abc import Container, Iterator
from contextlib import suppress
from typing import NamedTuple

import psutil

_STOPPED = {psutil.STATUS_STOPPED: "T", psutil.STATUS_ZOMBIE: "Z"}


class Entry(NamedTuple):
    """A process at the moment of a look."""

    pid: int
    parent: int
    started: float
    """When, in a unit of the system's: tells processes with one pid apart."""
    state: str
    """A letter as in ps(1): T and t are stopped, Z and X are dead."""
    name: str

    @property
    def key(self) -> tuple[int, float]:
        """What no other process shares."""
        return self.pid, self.started

    @property
    def is_dead(self) -> bool:
        """Whether it is a zombie."""
        return self.state in "ZX"


def census(without: Container[int] = ()) -> Iterator[Entry]:
    """Every process but these, the newest pids first.

    The newest first, because a process that forks and exits at once is only
    caught if it is acted upon while the others are still to be looked at.
    """
    for pid in reversed(all_pids()):
        if pid not in without and (entry := look_up(pid)):
            yield entry


def all_pids() -> list[int]:
    """The pid of every process, in their order."""
    if sys.platform == "linux":
        return [int(name) for name in os.listdir("/proc") if name.isdecimal()]  # noqa: PTH208, as it is faster
    return psutil.pids()


def look_up(pid: int) -> Entry | None:
    """One process; None if there is none."""
    return _look_up_in_proc(pid) if sys.platform == "linux" else _ask_psutil(pid)


def _look_up_in_proc(pid: int) -> Entry | None:
    """Read /proc/PID/stat, see proc_pid_stat(5): psutil's way takes five times as long."""
    try:
        fd = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
        try:
            text = os.read(fd, 4096)
        finally:
            os.close(fd)
    except (FileNotFoundError, ProcessLookupError):  # Gone, or while it was read.
        return None
    # The name is in parentheses, and may have parentheses in it.
    opening, closing = text.index(b"("), text.rindex(b")")
    fields = text[closing + 2 :].split(b" ", 20)
    name = text[opening + 1 : closing].decode(errors="replace")
    return Entry(pid, int(fields[1]), int(fields[19]), chr(fields[0][0]), name)


def _ask_psutil(pid: int) -> Entry | None:
    """For systems without /proc."""
    try:
        process = psutil.Process(pid)
        with process.oneshot():
            return Entry(
                pid=pid,
                parent=_parent(process),
                started=process.create_time(),
                state=_STOPPED.get(process.status(), "R"),
                name=process.name(),
            )
    except psutil.Error:
        return None


def _parent(process: psutil.Process) -> int:
    """The pid of its parent; 0 if that is another process's by now.

    Windows goes on to name a parent that is dead, and gives its pid away.
    """
    parent = process.ppid()
    if sys.platform == "win32":
        with suppress(psutil.Error):
            if psutil.Process(parent).create_time() > process.create_time():
                return 0
    return parent
