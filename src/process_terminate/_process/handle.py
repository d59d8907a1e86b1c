"""One process, tracked so that no signal reaches another one that got its pid."""

import errno
import functools
import math
import os
import select
import signal
import sys
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from logging import DEBUG
from typing import Any, Self

import psutil

from process_terminate._exit_status import name_of
from process_terminate._log import log
from process_terminate._process import table

if sys.platform != "win32":  # pragma: no branch
    import resource

#: The clock of all limits. A partial, because tests that freeze the time (freezegun)
#: replace the function itself in all modules, and no grace period ends then.
monotonic = functools.partial(time.monotonic)
#: Why there is no pidfd: an old kernel, a sandbox, too many open files.
_WITHOUT_PIDFD = {errno.ENOSYS, errno.EPERM, errno.EACCES, errno.ENODEV}
_WITHOUT_PIDFD |= {errno.EMFILE, errno.ENFILE}
#: Not every system has waitid(), nor what mypy knows of it.
_os: Any = os
#: waitid() is missing, is refused by a sandbox, or takes no pidfd (before Linux 5.4).
_NO_WAITID = (AttributeError, OSError)
#: The process is being reaped; older kernels answer EINVAL.
_REAPED = {errno.ENOENT, errno.EINVAL}
#: File descriptors that a large tree leaves to the rest of the program.
_RESERVED = 64
#: What the log says of a signal; its arguments are the name and the pid.
SENT = "sent %s to pid %d"
#: Seconds of one wait. Python handles a signal that arrives just before a wait
#: begins, or in another thread, only when that wait is over.
STEP = 0.5


def open_handle(pid: int, *, child: bool = False) -> "Handle":
    """Return a handle of a process; ProcessLookupError if there is no such process.

    What this process has started (`child`) needs neither a pidfd nor /proc.
    """
    # eventlet removes select.poll(), as it would block all green threads.
    has_poll = hasattr(select, "poll")
    if sys.platform == "linux" and has_poll and hasattr(os, "pidfd_open"):
        try:
            return _PidfdHandle(pid)
        except OSError as error:
            if error.errno in _REAPED:
                raise ProcessLookupError(f"no process {pid} any more") from None
            if error.errno not in _WITHOUT_PIDFD:
                raise
    if sys.platform == "win32":
        return _WindowsHandle(pid)
    return _PollingHandle(pid, child=child)


class Handle(ABC):
    """A process that stays the same one, whatever becomes of its pid."""

    #: A descriptor that becomes readable when the process is dead.
    fd: int | None = None

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._known_as = "P_PID", pid  # By waitid(2).
        self._creator = os.getpid()
        #: Whether the system refused the last signal to it.
        self.forbidden = False
        self._dead = False

    def is_dead(self) -> bool:
        """Return whether no thread of it runs: it is a zombie, or gone."""
        self._dead = self._dead or self._is_copy() or self._look()
        return self._dead

    def wait(self, timeout: float) -> bool:
        """Wait until it is dead, for one step at most; return whether it is dead."""
        self._dead = self.is_dead() or self._wait(max(min(timeout, STEP), 0))
        return self._dead

    def _is_copy(self) -> bool:
        """Return whether this is the copy of a forked child, which must do nothing."""
        return os.getpid() != self._creator

    @abstractmethod
    def _look(self) -> bool:
        """Return whether it is dead now."""

    def _wait(self, timeout: float) -> bool:
        end = monotonic() + timeout
        pause, longest = 0.0005, 0.04  # Where the system sends no event.
        while not self._look():
            rest = end - monotonic()
            if rest <= 0:
                return False
            time.sleep(min(pause, rest))
            pause = min(pause * 2, longest)
        return True

    def parent(self) -> int | None:
        """Return the pid of its parent, 0 if it is reaped; None if unknown."""
        entry = table.look_up(self.pid)
        return entry.parent if entry else 0

    def is_child(self) -> bool:
        """Return whether it is a child of this process that is not reaped."""
        try:
            self._waitid(reap=False)
        except ChildProcessError:
            return False
        except _NO_WAITID:
            return self.parent() == os.getpid()
        return True

    def exit_code(self, *, reap: bool = False) -> int | None:
        """Return its status and reap it, if it is a dead child of this process."""
        try:
            found = self._waitid(reap=reap)
        except ChildProcessError:
            return None
        except _NO_WAITID:
            return _reaped(self.pid) if reap and self.is_child() else None
        if not found:
            return None
        exited = found.si_code == _os.CLD_EXITED
        return int(found.si_status if exited else -found.si_status)

    def _waitid(self, *, reap: bool) -> Any:
        kind, number = self._known_as
        options = _os.WEXITED | _os.WNOHANG | (0 if reap else _os.WNOWAIT)
        return _os.waitid(getattr(_os, kind), number, options)

    @abstractmethod
    def _send(self, number: int) -> None:
        """Send a signal, or raise why that cannot be."""

    def send(self, number: int) -> None:
        """Send a signal; nothing happens if the process is dead."""
        self.forbidden = False
        if self._is_copy():
            return
        try:
            self._send(number)
        except (ProcessLookupError, psutil.NoSuchProcess):
            pass
        except (PermissionError, psutil.AccessDenied):
            self.forbidden = True
        else:
            # Windows has no signals that suspend or resume.
            if number > 0 and log.isEnabledFor(DEBUG):
                with suppress(Exception):  # A handler may raise; others need a signal.
                    log.debug(SENT, name_of(number), self.pid)

    def close(self) -> None:  # noqa: B027  # Most hold nothing.
        """Release what it holds."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _reaped(pid: int) -> int | None:
    """Reap a child, if it is dead, without waitid(); return its status."""
    with suppress(ChildProcessError):  # Another thread was faster.
        found, status = os.waitpid(pid, getattr(os, "WNOHANG", 0))
        return os.waitstatus_to_exitcode(status) if found else None
    return None


if sys.platform == "linux":  # pragma: no branch

    class _PidfdHandle(Handle):
        """A pidfd (Linux 5.3), which never means another process."""

        fd: int

        def __init__(self, pid: int) -> None:
            super().__init__(pid)
            self.fd = os.pidfd_open(pid)
            self._known_as = "P_PIDFD", self.fd
            if self.fd > resource.getrlimit(resource.RLIMIT_NOFILE)[0] - _RESERVED:
                self.close()
                raise OSError(errno.EMFILE, "file descriptors are left to the program")
            self._poll = select.poll()
            self._poll.register(self.fd, select.POLLIN)

        def _look(self) -> bool:
            return self._wait(0)

        def _wait(self, timeout: float) -> bool:
            return bool(self._poll.poll(math.ceil(timeout * 1000)))

        def parent(self) -> int | None:
            found = table.parent_of(self.fd)
            if found is None and not table.look_up(self.pid) and not self._look():
                return None  # /proc hides it.
            return super().parent() if found is None else found

        def _send(self, number: int) -> None:
            try:
                signal.pidfd_send_signal(self.fd, number)
            except ProcessLookupError:
                raise
            except OSError:
                # As in a sandbox. No other process has the pid of one that is alive.
                if not self._look():
                    os.kill(self.pid, number)

        def close(self) -> None:
            table.close(self.fd)


class _PollingHandle(Handle):
    """A pid and a start time, which are compared before each signal.

    Between the two is a gap of microseconds, but not for a child that is not reaped.
    """

    def __init__(self, pid: int, *, child: bool) -> None:
        super().__init__(pid)
        self._key: tuple[int, float] | None = None
        self._is_mine = child and self.is_child()
        if not self._is_mine:
            entry = table.look_up(pid)
            if entry is None:
                if not child and sys.platform == "linux" and table.is_hidden(pid):
                    raise RuntimeError(
                        f"cannot stop process {pid} safely: without pidfds (Linux 5.3), "
                        "that needs the /proc of this pid namespace; mount it"
                    )
                raise ProcessLookupError(f"no process {pid}")
            self._key = entry.key

    def _look(self) -> bool:
        if self._is_mine:
            if not self.is_child() or self.exit_code() is not None:
                return True
            # A debugger may keep it from being reaped.
            with suppress(OSError):
                entry = table.look_up(self.pid)
                return entry is not None and entry.is_dead
            return False
        entry = table.look_up(self.pid)
        return entry is None or entry.key != self._key or entry.is_dead

    def _send(self, number: int) -> None:
        if not self._look():
            os.kill(self.pid, number)


class _WindowsHandle(Handle):
    """A process as psutil tracks it: by its pid and its start time."""

    def __init__(self, pid: int) -> None:
        super().__init__(pid)
        self._code: int | None = None
        try:
            self._process = psutil.Process(pid)
        except psutil.NoSuchProcess:
            raise ProcessLookupError(f"no process {pid}") from None

    def _look(self) -> bool:
        return self._wait(0)

    def _wait(self, timeout: float) -> bool:
        # Ask for the exit code first: psutil has none of a process that is gone.
        try:
            self._code = self._process.wait(timeout)
        except psutil.TimeoutExpired:
            return False
        except psutil.AccessDenied:
            return not self._process.is_running()
        return True

    def exit_code(self, *, reap: bool = False) -> int | None:  # noqa: ARG002
        return self._code

    def _send(self, number: int) -> None:
        if number == _SUSPEND:
            self._process.suspend()
        elif number != _RESUME:  # A process that is suspended can be terminated.
            self._process.terminate()


#: On Windows SIGSTOP and SIGCONT have no number, so they get one here.
_SUSPEND, _RESUME = -1, -2
SIGSTOP: Any = getattr(signal, "SIGSTOP", _SUSPEND)
SIGCONT: Any = getattr(signal, "SIGCONT", _RESUME)
SIGKILL: Any = getattr(signal, "SIGKILL", signal.SIGTERM)
