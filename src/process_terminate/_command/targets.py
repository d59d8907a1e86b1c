"""Which processes a command line names, and which of them must not be stopped."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import PurePath
from typing import TYPE_CHECKING

import psutil

from process_terminate._command import statuses
from process_terminate._command.statuses import CommandError, complain
from process_terminate._process import table
from process_terminate._process.printable import printable

if TYPE_CHECKING:
    import argparse

#: Options of Python that take the next argument.
_TAKES_ONE = ("-X", "-W", "--check-hash-based-pycs")
_LONGEST = 60


def find(parsed: argparse.Namespace) -> tuple[list[psutil.Process], int]:
    """Return the processes that are named, and the exit status so far."""
    if not parsed.pids and not parsed.name:
        raise CommandError("name a process: a PID, or --name NAME", statuses.USAGE)
    try:
        table.require("stop")
    except RuntimeError:  # The pids there are those of other processes.
        raise CommandError(
            "stop and diagnose need the /proc of this pid namespace; mount it first",
            statuses.FORBIDDEN,
        ) from None
    found: dict[psutil.Process, None] = {}
    status = statuses.DONE
    for pid in parsed.pids:
        try:
            found[psutil.Process(pid)] = None
        except (psutil.NoSuchProcess, OverflowError):
            complain(
                f"/proc hides process {pid} from your user (hidepid); use sudo"
                if table.is_hidden(pid)
                else f"there is no process with pid {pid}"
            )
            status = statuses.MISSING
    for name in parsed.name:
        named = [
            one
            for one in psutil.process_iter()
            if one.pid != os.getpid() and name in names_of(one)
        ]
        if not named:
            complain(f"there is no process of the name {name!r}")
            status = statuses.MISSING
        found.update(dict.fromkeys(named))
    return list(found), status


def names_of(process: psutil.Process) -> set[str]:
    """Return the names of a process: its program, its file, its script or module."""
    try:
        command = process.cmdline()
        names = {process.name()}
    except psutil.Error:  # It is gone, or hidden.
        return set()
    if not command:  # A zombie, or a thread of the kernel.
        return names
    program = PurePath(command[0]).name
    names.add(program)
    if program.startswith(("python", "pypy")):
        names |= _of_python(command[1:])
    return names


def _of_python(arguments: list[str]) -> set[str]:
    """Return the name of the script or module that Python runs."""
    words = iter(arguments)
    for word in words:
        if word == "-m":
            return {next(words, "")}
        if word == "-c":
            return set()
        if word in _TAKES_ONE:
            next(words, "")
        elif not word.startswith("-"):
            return {word, PurePath(word).name}
    return set()


def describe(pid: int, command: str) -> str:
    """Return the pid and the command of a process, for people."""
    if not command:
        return f"pid {pid}"
    shown = printable(command)
    short = shown if len(shown) <= _LONGEST else shown[: _LONGEST - 3] + "..."
    return f"pid {pid} ({short})"


def command_of(process: psutil.Process) -> str:
    """Return the command line of a process, or its name; "" if it is hidden."""
    command = ""
    with suppress(psutil.Error):
        command = process.name()
        command = " ".join(process.cmdline()) or command
    return command


def refuse(processes: list[psutil.Process]) -> None:
    """Raise if a process is one that must not be stopped by mistake."""
    ancestors = table.ancestors()
    for process in processes:
        if process.pid == os.getpid():
            why = "it is this command itself"
        elif process.pid == 1:
            why = "it is the first process of the system or the container"
        elif process.pid in ancestors:
            why = "it is an ancestor of this command, such as its shell"
        else:
            continue
        name = describe(process.pid, command_of(process))
        raise CommandError(
            f"{name} is not stopped, because {why}; no process was signaled; "
            "--force stops it",
            statuses.REFUSED,
        )


def is_permitted(process: psutil.Process) -> bool:
    """Return whether the system permits a signal to a process."""
    if sys.platform == "win32":  # pragma: no cover  # Where kill(pid, 0) is Ctrl-C.
        return True
    try:
        with suppress(ProcessLookupError):
            os.kill(process.pid, 0)
    except PermissionError:
        return False
    return True
