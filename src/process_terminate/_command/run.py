"""`run`: run a command, and leave no process of it."""

from __future__ import annotations

import errno
import math
import os
import signal
import sys
import time
from signal import Signals
from typing import Any

from process_terminate._command import statuses
from process_terminate._command.statuses import CommandError, complain
from process_terminate._process import table
from process_terminate._process.waits import LAST_WAIT

if sys.platform == "linux":  # pragma: no branch  # For the type checker.
    from process_terminate._command.leftovers import stopped_afterwards
    from process_terminate._command.terminal import Terminal
assert sys.platform == "linux"  # noqa: S101

#: Signals that are not passed on: no process can handle the first two, the kernel
#: sends the next ones to a process for what it did itself, and the last ones belong
#: to the terminal, which sends them to the command as well.
_NOT_PASSED_ON = (
    *("SIGKILL", "SIGSTOP", "SIGCHLD"),
    *("SIGILL", "SIGTRAP", "SIGBUS", "SIGFPE", "SIGSEGV", "SIGSYS"),
    *("SIGTSTP", "SIGTTIN", "SIGTTOU"),
)
#: Signals that Python itself has ignored since it began, but the command must not.
_IGNORED_BY_PYTHON = ("SIGPIPE", "SIGXFSZ")
#: siginfo's si_code if the kernel sent the signal, for example for Ctrl-C.
_SI_KERNEL = 0x80
#: Seconds of one wait at most, because a longer one may overflow.
_LONGEST_WAIT = 3600.0


def run(command: list[str], grace: float, timeout: float | None, first: Signals) -> int:
    """Run a command, pass signals on, stop what it leaves; return the exit status.

    Args:
        command: The program and its arguments.
        grace: Seconds between the first signal and `SIGKILL`.
        timeout: Seconds after which the command is stopped.
        first: The first signal to a command that is stopped, and to what it leaves.
    """
    _check_system()
    default = [getattr(signal, name) for name in _IGNORED_BY_PYTHON]
    for number in (signal.SIGTTIN, signal.SIGTTOU):
        # The command may be stopped in the background, but its time goes on.
        if signal.signal(number, signal.SIG_IGN) != signal.SIG_IGN:
            default.append(number)
    # Ignored in the parent, for example by Python's own parent, it would reap for us.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, _passed_on() | {signal.SIGCHLD})
    terminal = Terminal()
    try:
        with stopped_afterwards(grace, first) as leftovers:
            job = _Job(_started(command, mask, default), terminal, grace, first)
            status = job.supervise(timeout)
    except (RuntimeError, PermissionError, TimeoutError) as error:
        raise CommandError(f"run: {error}", statuses.FAILED) from None
    finally:
        terminal.restore()
    if leftovers.hurried_by == signal.SIGINT:
        status = -signal.SIGINT
    if status == -signal.SIGINT:
        _end_by_sigint()
    return status if status >= 0 else 128 - status


def _check_system() -> None:
    """Raise if this system lacks what `run` needs."""
    if not hasattr(signal, "sigtimedwait"):
        raise CommandError(
            "run needs signal.sigtimedwait(), which this Python "
            f"({sys.implementation.name}) does not have",
            statuses.FAILED,
        )
    try:
        table.require("run")
    except OSError as error:
        raise CommandError(f"run: {error.strerror}", statuses.FAILED) from None
    except RuntimeError:
        raise CommandError(
            "run: it needs the /proc of this pid namespace; mount it first",
            statuses.FAILED,
        ) from None


def _passed_on() -> set[int]:
    """Return the signals to wait for; one that is ignored stays ignored."""
    others = {getattr(signal, name) for name in _NOT_PASSED_ON}
    return {
        number
        for number in signal.valid_signals() - others
        if signal.getsignal(number) != signal.SIG_IGN
    }


def _started(command: list[str], mask: set[Any], default: list[int]) -> int:
    """Start the command with the signals that this process was started with.

    Args:
        command: The program and its arguments.
        mask: The signals that are blocked in it.
        default: The signals that this process ignores, but the command does not.
    """
    if not command[0]:  # Such as an empty variable of a shell.
        raise CommandError("run: '': command not found", statuses.NOT_FOUND)
    try:
        return os.posix_spawnp(
            command[0],
            command,
            os.environ,
            setsigmask=mask,
            setsigdef=default,
        )
    except OSError as error:
        missing = error.errno == errno.ENOENT
        status = statuses.NOT_FOUND if missing else statuses.NOT_EXECUTABLE
        reason = "command not found" if missing else str(error.strerror)
        raise CommandError(f"run: {command[0]}: {reason}", status) from None


def _end_by_sigint() -> None:
    """Terminate this process by SIGINT, so that a shell knows of the Ctrl-C.

    bash continues its script if the command exits, even with 130. Process 1 continues,
    because the kernel drops the signal.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGINT)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


class _Job:
    """The command while it runs: its signals, its stops, its time."""

    def __init__(
        self, pid: int, terminal: Terminal, grace: float, first: Signals
    ) -> None:
        self._pid = pid
        self._terminal = terminal
        self._grace = grace
        self._first = first
        self._status: int | None = None
        #: When the time of the command is over, when SIGKILL is due, and when the wait
        #: for its effect is over.
        self._stop_at = self._kill_at = self._give_up_at = math.inf

    def supervise(self, timeout: float | None) -> int:
        """Wait until the command has exited; return its exit code, as Python has it."""
        if timeout is not None:
            self._stop_at = time.monotonic() + timeout
        timed_out = False
        waited = _passed_on() | {signal.SIGCHLD}
        while self._status is None:
            now = time.monotonic()
            if now >= self._give_up_at:  # pragma: no cover  # It is in state D.
                raise TimeoutError(
                    f"still running {LAST_WAIT:g} s after SIGKILL: pid {self._pid}"
                )
            if now >= self._kill_at:
                self._kill(now)
            elif now >= self._stop_at:
                timed_out, self._stop_at = True, math.inf
                self._stop(self._first)
            until = min(self._stop_at, self._kill_at, self._give_up_at)
            rest = min(max(until - time.monotonic(), 0), _LONGEST_WAIT)
            self._handle(signal.sigtimedwait(waited, rest))
        if not timed_out:
            return self._status
        complain(
            f"run: the command did not end within {timeout:g} s", statuses.MESSAGE_WAIT
        )
        return statuses.TIMED_OUT

    def _handle(self, info: signal.struct_siginfo | None) -> None:
        """Do what one signal asks for."""
        if info is None:
            return
        if info.si_signo == signal.SIGCHLD:
            self._reap()
        elif info.si_signo == signal.SIGTERM:
            self._stop(signal.SIGTERM)
        elif not self._has_it_already(info):
            os.kill(self._pid, info.si_signo)

    def _stop(self, number: int) -> None:
        """Send a signal that begins the grace period, also to a stopped command."""
        os.kill(self._pid, number)
        os.kill(self._pid, signal.SIGCONT)
        self._kill_at = min(self._kill_at, time.monotonic() + self._grace)

    def _kill(self, now: float) -> None:
        os.kill(self._pid, signal.SIGKILL)
        self._kill_at, self._give_up_at = math.inf, now + LAST_WAIT

    def _has_it_already(self, info: signal.struct_siginfo) -> bool:
        """Return whether the terminal also sent a signal to the command.

        It sends Ctrl-C to its foreground process group. If it hangs up, it sends
        SIGHUP to the leader of the session alone.
        """
        if info.si_code != _SI_KERNEL or os.getpgid(self._pid) != os.getpgrp():
            return False
        return info.si_signo != signal.SIGHUP or os.getsid(0) != os.getpid()

    def _reap(self) -> None:
        """Reap all that is dead: the command, and orphans that came to this process."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG | os.WUNTRACED)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid != self._pid:
                continue
            if os.WIFSTOPPED(status):
                # Stopped itself, it would keep no time.
                if self._stop_at == self._kill_at == math.inf:
                    self._terminal.follow_stop()
            else:
                self._status = os.waitstatus_to_exitcode(status)
