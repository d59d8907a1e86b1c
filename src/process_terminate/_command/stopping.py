"""`stop`: stop processes, and say how each was stopped."""

from __future__ import annotations

import json
import logging
import signal
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from process_terminate._command import statuses, targets
from process_terminate._command.statuses import complain, show
from process_terminate._log import log
from process_terminate._process.handle import SENT
from process_terminate._process.table import look_up
from process_terminate._process.waits import run
from process_terminate._stop import stopping
from process_terminate._stop_tree import stopping_tree

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    import psutil

    from process_terminate import ExitStatus

#: Signals that do not end a process, so they do not say how it was stopped.
_PASSING = {"SIGCONT", "SIGSTOP"}


@dataclass
class _Stopped:
    """One process, and how it was stopped."""

    pid: int
    command: str
    is_zombie: bool = False
    signal: str | None = None
    status: ExitStatus | None = None
    error: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the keys of --json."""
        return {
            "pid": self.pid,
            "command": self.command,
            "signal": self.signal,
            "exit_code": self.status.code if self.status else None,
            "error": self.error,
        }

    def __str__(self) -> str:
        name = targets.describe(self.pid, self.command)
        if self.error:
            return f"{name}: {self.error}"
        if self.signal is None:
            reaped = ", but its parent has not reaped it" if self.is_zombie else ""
            return f"{name} was dead already{reaped}"
        if self.signal == "SIGKILL":
            return f"{name} was killed by SIGKILL"
        return f"{name} stopped after {self.signal}"


def stop(parsed: argparse.Namespace) -> int:
    """Stop the processes of a command line; return the exit status."""
    found, status = targets.find(parsed)
    if parsed.force:
        _ignore_hangup()  # The shell of this command may be among them.
    else:
        targets.refuse(found)
    stopped: dict[int, _Stopped] = {}
    permitted = []
    for process in found:
        one = _Stopped(process.pid, targets.command_of(process))
        stopped[one.pid] = one
        one.is_zombie = _is_dead(process.pid)
        if one.is_zombie:
            continue
        if targets.is_permitted(process):
            permitted.append(process)
            continue
        one.error = "not permitted to signal it; use its user, or sudo"
        complain(str(one))
        status = statuses.FORBIDDEN
    with _noting_signals() as sent:
        # One tree after the other, but all other processes in one grace period.
        parts = [[process] for process in permitted] if parsed.tree else [permitted]
        for part in parts:
            try:
                for pid, name, ended in _stop_part(part, parsed):
                    one = stopped.setdefault(pid, _Stopped(pid, name))
                    one.status = one.status or ended  # It was in an earlier tree.
            except (OSError, RuntimeError, ValueError) as error:
                complain(f"stop: {error}")
                status = _status_of(error)
    for one in stopped.values():
        one.signal = sent.get(one.pid)
        one.error = one.error or _why_alive(one)
    _show(list(stopped.values()), parsed.json)
    return status


def _status_of(error: Exception) -> int:
    if isinstance(error, PermissionError):
        return statuses.FORBIDDEN
    return statuses.REFUSED if isinstance(error, ValueError) else statuses.ALIVE


def _ignore_hangup() -> None:
    if sys.platform != "win32":  # pragma: no branch
        signal.signal(signal.SIGHUP, signal.SIG_IGN)


def _stop_part(
    processes: list[psutil.Process], parsed: argparse.Namespace
) -> list[tuple[int, str, ExitStatus]]:
    """Stop one tree, or all processes; return the pid, name and status of each."""
    grace, first, force = parsed.grace, parsed.signal, parsed.force
    if parsed.tree:
        (root,) = processes
        tree = run(stopping_tree(root, grace, first, ancestors=force))
        return [(one.pid, one.name, one.status) for one in tree]
    ended = run(stopping(processes, grace, first, ancestors=force))
    pairs = zip(processes, ended, strict=True)
    return [(process.pid, "", status) for process, status in pairs]


@contextmanager
def _noting_signals() -> Iterator[dict[int, str]]:
    """Note the last signal to each process, from what the library logs."""
    sent: dict[int, str] = {}

    class Notes(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.msg == SENT and isinstance(record.args, tuple):
                name, pid = record.args
                if name not in _PASSING and isinstance(pid, int):
                    sent[pid] = str(name)

    notes = Notes()
    log.addHandler(notes)
    level = log.level
    log.setLevel(logging.DEBUG)
    try:
        yield sent
    finally:
        log.setLevel(level)
        log.removeHandler(notes)


def _why_alive(one: _Stopped) -> str | None:
    """Return what is wrong if the process is still running."""
    if one.status is not None and (one.status.code is not None or one.status.gone):
        return None
    return None if _is_dead(one.pid) else "still running"


def _is_dead(pid: int) -> bool:
    entry = look_up(pid)
    return entry is None or entry.is_dead


def _show(stopped: list[_Stopped], as_json: bool) -> None:
    if as_json:
        show(json.dumps([one.as_dict() for one in stopped], indent=2))
        return
    lines = [str(one) for one in stopped if not one.error]
    if lines:
        show("\n".join(lines))
