"""`diagnose`."""

from __future__ import annotations

import os
from typing import Any, Iterator, Union

import psutil

from process_terminate._diagnose import condition
from process_terminate._diagnose.findings import Diagnosis, Finding, finding
from process_terminate._diagnose.reading import STATES, GoneError, Process, is_readable
from process_terminate._exit_status import ExitStatus
from process_terminate._process import stdlib
from process_terminate._process.adapters import AnyProcess, kind


def diagnose(
    process: Union[AnyProcess, int], *, tree: bool = False, py_spy: bool = False
) -> Diagnosis:
    """Tell why a process is still there, and what would end it.

    Args:
        process: What [`stop()`][process_terminate.stop] takes, or a pid.
        tree: Whether to diagnose the descendants of the process as well.
        py_spy: Whether to run `py-spy dump`, which stops the process meanwhile.

    Returns:
        The findings, the most important first.
    """
    pid, code = _target(process)
    if code is not None:
        return _gone(pid, ExitStatus(code))
    return _diagnose(pid)


def _diagnose(pid: int) -> Diagnosis:
    try:
        read = Process(pid)
        found = tuple(_findings(read))
        if not read.is_same():
            raise GoneError
        return Diagnosis(
            pid, read.command, read.age, STATES.get(read.stat.state, "unknown"), found, ()
        )
    except GoneError:
        return _gone(pid, None)


def _findings(read: Process) -> Iterator[Finding]:
    threads = read.threads()
    yield from condition.state_findings(read, threads)
    if read.stat.state in "ZX" and read.stat.threads <= 1:
        return
    yield from condition.signal_findings(read, threads)


def _gone(pid: int, status: "ExitStatus | None") -> Diagnosis:
    facts = (f"it ended: {status}",) if status else ()
    gone = finding(
        "gone",
        "There is no such process: it has ended and was reaped.",
        *facts,
        do="Nothing is left to end.",
    )
    return Diagnosis(pid, "", None, "gone", (gone,), ())


def _target(process: Any) -> "tuple[int, int | None]":
    """Return the pid that is meant, and the exit code if its object has one."""
    if isinstance(process, int) and not isinstance(process, bool):
        if process <= 0:
            raise ValueError(f"pid must be a positive number, got {process}")
        return process, None
    if isinstance(process, psutil.Process):
        return process.pid, None
    if stdlib.is_process(process):
        return process.pid, getattr(stdlib.popen_of(process), "returncode", None)
    if hasattr(process, "returncode") and hasattr(process, "pid"):
        return process.pid, process.returncode
    takes = "a pid, multiprocessing.Process, subprocess.Popen or psutil.Process"
    raise TypeError(f"diagnose() takes {takes}, got {kind(process)}")
