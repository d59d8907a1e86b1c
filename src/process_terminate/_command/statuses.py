"""The exit statuses of the command, and the error that leads to one."""

from __future__ import annotations

import errno
import os
import select
import sys
from contextlib import suppress
from typing import TextIO

from process_terminate._process.printable import printable

DONE = 0
ALIVE = 1
USAGE = 2
MISSING = 3
FORBIDDEN = 4
REFUSED = 5
UNWRITTEN = 6
INTERRUPTED = 130

#: What `diagnose`, `stop` and `exit-code` exit with. The page of the command shows it.
STATUSES = {
    DONE: "Done: each process is stopped, or diagnosed; the exit code has a meaning.",
    ALIVE: "`stop`: a process is still running 10 seconds after `SIGKILL`.",
    USAGE: "The command line is wrong: an option, a pid, a signal, a grace period, "
    "or text without an exit code.",
    MISSING: "There is no such process; the others were stopped, or diagnosed.",
    FORBIDDEN: "The system does not permit it, for example because the process belongs "
    "to another user; the others were stopped, or diagnosed.",
    REFUSED: "`stop`: one of the processes is process 1, this command, or one of its "
    "ancestors, such as its shell. No process was signaled. `--force` stops them.",
    UNWRITTEN: "The result could not be written, for example because the disk is full. "
    "The processes were stopped or diagnosed anyway.",
    INTERRUPTED: "Interrupted by Ctrl-C; `stop` has killed the processes.",
}

#: Seconds in which `run` must be able to write a message.
MESSAGE_WAIT = 1.0

TIMED_OUT = 124
FAILED = 125
NOT_EXECUTABLE = 126
NOT_FOUND = 127

#: What `run` exits with.
RUN_STATUSES = {
    "0 to 255": "The exit status of the command.",
    "128 + n": "Signal n killed the command, for example 137 for `SIGKILL`. "
    "After `SIGINT`, `run` terminates itself by `SIGINT`, which a shell shows as 130, "
    "so that a script stops at Ctrl-C, even if the command had exited already.",
    str(TIMED_OUT): "The command was stopped because of `--timeout`.",
    str(FAILED): "`run` itself failed: the command line is wrong, the system is not "
    "Linux, or a process could not be stopped.",
    str(NOT_EXECUTABLE): "The command was found, but cannot be executed.",
    str(NOT_FOUND): "The command was not found.",
}


class CommandError(Exception):
    """An error that the user can understand without a traceback."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


def show(text: str) -> None:
    """Print the result; what was done is done, also if the reader has gone."""
    try:
        print(text, flush=True)  # noqa: T201
    except OSError as error:
        _discard(sys.stdout)
        # Windows says EINVAL of a pipe that no process reads, see subprocess.py.
        is_gone = sys.platform == "win32" and error.errno == errno.EINVAL
        if not (is_gone or isinstance(error, BrokenPipeError)):
            why = f"cannot write the result: {error.strerror}"
            raise CommandError(why, UNWRITTEN) from None


def complain(message: str, limit: float | None = None) -> None:
    """Print one line of an error, if that is possible; the exit status says it as well.

    Args:
        message: The line.
        limit: Seconds after which it is dropped: a pipe may be full, and in a terminal
            Ctrl-S may have been pressed.
    """
    if sys.stderr is None:  # It was closed before this program began.
        return
    try:
        if limit is None or _is_writable(sys.stderr, limit):
            print(f"process-terminate: {printable(message)}", file=sys.stderr)  # noqa: T201
    except OSError:
        _discard(sys.stderr)


def _is_writable(stream: TextIO, limit: float) -> bool:
    """Return whether a line can be written within a time, in seconds."""
    with suppress(OSError):  # It is no file, or is closed.
        return bool(select.select([], [stream], [], limit)[1])
    return True


def _discard(stream: TextIO) -> None:
    """Write the rest nowhere: Python would try again at its exit, and exit with 120."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
