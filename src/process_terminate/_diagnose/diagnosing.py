"""`diagnose`."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing.connection import wait
from typing import Any

import psutil

from process_terminate._diagnose import (
    condition,
    deadlocks,
    relations,
    waits,
)
from process_terminate._diagnose.findings import (
    Diagnosis,
    Finding,
    finding,
    survivors_finding,
)
from process_terminate._diagnose.peers import Machine
from process_terminate._diagnose.reading import STATES, GoneError, Process, is_readable
from process_terminate._exit_status import ExitStatus
from process_terminate._process import stdlib
from process_terminate._process.adapters import AnyProcess
from process_terminate._process.ownership import require_own_pids
from process_terminate._process.printable import kind, printable, process_name
from process_terminate._process.table import Room, is_hidden, require

#: Seconds that py-spy may take.
_PY_SPY_LIMIT = 10
#: What psutil calls a state, on systems without Linux's `/proc`.
_PSUTIL_STATES = {
    psutil.STATUS_ZOMBIE: "zombie",
    psutil.STATUS_STOPPED: "stopped",
    psutil.STATUS_RUNNING: "running",
    psutil.STATUS_SLEEPING: "sleeping",
    psutil.STATUS_IDLE: "idle",
    psutil.STATUS_DISK_SLEEP: "uninterruptible",
}
_DO = {
    "zombie": "Let its parent call wait(), or end the parent; no signal helps.",
    "stopped": "Continue it (SIGCONT), or use kill() or stop().",
}


def diagnose(
    process: AnyProcess | int, *, tree: bool = False, py_spy: bool = False
) -> Diagnosis:
    """Explain why a process is still there, and how you can stop it.

    `print(diagnose(process))` shows a report.
    It reads `/proc`, and asks the kernel for the other ends of Unix sockets.
    It never signals, stops or attaches to a process, unless you set `py_spy`.
    A finding that is not certain is marked as likely.

    **When to use it:** if a process does not stop, and you want to know why before you
    kill it.
    Pass an object if you have one, because a pid may belong to another process by
    now.

    **When not to use it:** if you only want to stop the process. Call
    [`stop()`][process_terminate.stop] instead.

    **Linux:** It has all findings for 64-bit programs on x86-64.
    The numbers of the system calls of ARM64 are from the kernel's source, not tested.
    Under an emulator such as qemu-user, as in a container of another architecture, it
    reads the system calls that the emulator makes. Before Linux 6.1 the kernel does not
    tell its architecture, so what they are is unknown.
    It cannot tell what other programs wait for, such as 32-bit ones; `unseen` lists
    what is missing.
    Root sees all processes.
    Other users see their own, unless `kernel.yama.ptrace_scope` forbids that.
    `unseen` lists the facts that it could not read, and why.

    **macOS and Windows:** It has only the state and the descendants, as psutil shows
    them (not tested).

    Args:
        process: Any process that [`stop()`][process_terminate.stop] takes, or a pid.
        tree: Whether to diagnose the descendants of the process as well.
        py_spy: Whether to run `py-spy dump` if it is installed, for 10 seconds at most.
            It stops the process for some milliseconds.

    Returns:
        The findings, in the order state, signals, waits, relatives.

    Raises:
        TypeError: If `process` is neither a process nor a pid.
        ValueError: If `process` was not started or is closed, or the pid is not
            positive.
        RuntimeError: If `/proc` is missing on Linux, belongs to another pid namespace,
            or may not be read in a sandbox. Also if `process` is a `psutil.Process`,
            and `psutil.PROCFS_PATH` belongs to another pid namespace.
        OSError: If your program has as many files open as its hard limit permits
            (`ulimit -Hn`).

    Warning: Caveats
        - If the process is dead, its pid may belong to another process by now
          ([example: a pid that is gone](../examples/diagnose/gone.md)).
        - `/proc` does not show whether a busy thread is in Python or in C, so that
          finding is likely
          ([example: delayed handler](../examples/diagnose/handler_delayed.md)).
        - A supervisor is known by its name, so that finding is likely
          ([example: restarted worker](../examples/diagnose/restarted.md)).
        - The kernel does not record which process has sent a signal
          ([example: killed workers](../examples/diagnose/killed.md)).
    """
    pid, code = _target(process)
    if code is not None:
        return _gone(pid, code)
    with Room():
        require("diagnose")
        if _has_ended(process):
            return _gone(pid, None)
        if not is_readable():
            return _ask_psutil(pid) or _gone(pid, None)
        machine = Machine()
        found = _diagnose(pid, machine, _stack(pid) if py_spy else "")
        if not tree or found.state == "gone":
            return found
        pids = relations.descendants(pid, machine)
        below = tuple(_diagnose(child, machine) for child in pids)
        return replace(found, tree=below)


def _diagnose(pid: int, machine: Machine, stack: str | None = "") -> Diagnosis:
    try:
        read = Process(pid)
        found = tuple(_findings(read, machine))
        if not read.is_same():
            raise GoneError
        state = STATES.get(read.stat.state, "unknown")
        unseen = tuple(read.unseen()) + tuple(machine.unseen(read.stat.started))
        if stack is None:
            unseen += ("the line of Python: py-spy is not installed, or failed",)
        return Diagnosis(
            pid, read.command, read.age, state, found, unseen, stack=stack or ""
        )
    except GoneError:
        return _hidden(pid) if is_hidden(pid) else _gone(pid, None)


def _findings(read: Process, machine: Machine) -> Iterator[Finding]:
    yield from condition.state_findings(read)
    if read.stat.is_dead:
        code = condition.exit_code(read)
        yield from relations.death_findings(read.pid, ExitStatus(code), read)
        return
    yield from condition.signal_findings(read)
    yield from waits.wait_findings(read, machine)
    yield from deadlocks.deadlock_findings(read, machine)
    yield from relations.family_findings(read, machine)


def _gone(pid: int, code: int | None) -> Diagnosis:
    status = ExitStatus(code, gone=True)
    gone = finding(
        "gone",
        "There is no such process: it is dead and was reaped.",
        str(status),
        do="Nothing is left to stop.",
    )
    found = (gone, *relations.death_findings(pid, status))
    return Diagnosis(pid, "", None, "gone", found, ())


def _hidden(pid: int) -> Diagnosis:
    unseen = "everything: /proc hides it from your user (hidepid); use sudo"
    return Diagnosis(pid, "", None, "unknown", (), (unseen,))


def _has_ended(process: Any) -> bool:
    """Return whether its object knows that it is gone, so that others may have its pid."""
    if isinstance(process, psutil.Process):
        require_own_pids("diagnose")
        return not process.is_running()
    if stdlib.is_process(process) and stdlib.start_method(process) == "forkserver":
        return bool(wait([process.sentinel], 0))
    return False


def _stack(pid: int) -> str | None:
    """Return what py-spy prints; None if it is not installed or fails."""
    program = shutil.which("py-spy")
    if program is None:
        return None
    command = [program, "dump", "--pid", str(pid)]
    try:
        ended = subprocess.run(
            command,
            capture_output=True,
            encoding="utf-8",
            errors="backslashreplace",  # As in the name of a file.
            timeout=_PY_SPY_LIMIT,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return "\n".join(map(printable, ended.stdout.splitlines()))


def _target(process: Any) -> tuple[int, int | None]:
    """Return the pid that is meant, and the exit code if its object has one.

    It reads what the object has noted: asking it would reap the process.
    """
    code = None
    if isinstance(process, int) and not isinstance(process, bool):
        pid = process
    elif isinstance(process, psutil.Process):
        pid = process.pid
    elif stdlib.is_process(process):
        name = process_name(process)  # Raises if there is none.
        try:
            pid = process.pid
        except ValueError:
            raise ValueError(
                f"process {name!r} is closed; call diagnose() before close()"
            ) from None
        code = getattr(stdlib.popen_of(process), "returncode", None)
    elif hasattr(process, "returncode") and hasattr(process, "pid"):
        pid, code = process.pid, process.returncode
    else:
        takes = "a pid, multiprocessing.Process, subprocess.Popen or psutil.Process"
        raise TypeError(f"diagnose() takes {takes}, got {kind(process)}")
    if pid is None:
        raise ValueError(
            f"process {process.name!r} was not started; call start() first"
        )
    if pid <= 0:
        raise ValueError(f"pid must be a positive number, got {pid}")
    return pid, code


def _ask_psutil(pid: int) -> Diagnosis | None:
    """Return what psutil shows; None if there is no such process."""
    unseen = [
        f"what it waits for and its signals: {sys.platform} has no /proc of Linux"
    ]
    try:
        process = psutil.Process(pid)
        state = _PSUTIL_STATES.get(process.status(), "unknown")
        age = time.time() - process.create_time()
        below = [child.pid for child in process.children(recursive=True)]
        command = printable(process.name())
        try:
            command = printable(" ".join(process.cmdline())) or command
        except psutil.AccessDenied:
            unseen.append("its command line: it belongs to another user")
    except psutil.NoSuchProcess:
        return None
    found = []
    if state in _DO:
        found.append(
            finding(state, f"It is {state}.", f"psutil: {state}", do=_DO[state])
        )
    if below:
        found.append(survivors_finding(below, "pid {}".format))
    return Diagnosis(pid, command, age, state, tuple(found), tuple(unseen))
