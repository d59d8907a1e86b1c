"""One process, held so that it cannot be mistaken for another."""

import errno
import math
import os
import select
import signal
import struct
import sys
import time
from abc import ABC, abstractmethod
from typing import Any, Literal, Self

import psutil

if sys.platform != "win32":  # pragma: no branch
    import fcntl
    import resource

#: An old kernel, a sandbox, too many open files.
_WITHOUT_PIDFD = {
    getattr(errno, name)
    for name in ("ENOSYS", "EPERM", "EACCES", "EMFILE", "ENFILE", "ENODEV")
}
#: The process is being reaped just now; EINVAL is the answer of older kernels.
_REAPED = {errno.ENOENT, errno.EINVAL}
#: File descriptors that a large tree leaves to the rest of the program.
_RESERVED = 64
#: _IOWR(0xFF, 11, struct pidfd_info), and that structure's start and size, see
#: linux/pidfd.h: mask, cgroup, pid, thread group, parent.
_PIDFD_GET_INFO = 0xC040FF0B
_PIDFD_INFO = struct.Struct("=QQIII")
_PIDFD_INFO_SIZE = 64
#: Seconds of one wait: Python handles a signal that comes just before a wait begins,
#: or comes to another thread, when it is over. So Ctrl-C is heard soon.
STEP = 0.5
#: Seconds from the event of an exit until the process is a zombie.
_DYING = 1.0
#: What is done to a process: the names are psutil's, for all platforms.
Verb = Literal["terminate", "resume", "suspend", "kill"]


def hold(pid: int) -> "Handle":
    """Take hold of a process; ProcessLookupError if there is none."""
    if sys.platform == "linux" and hasattr(os, "pidfd_open"):
        try:
            return _ByPidfd(pid)
        except OSError as error:
            if error.errno in _REAPED:
                raise ProcessLookupError(f"no process {pid} any more") from None
            if error.errno not in _WITHOUT_PIDFD:
                raise
    return _ByPsutil(pid)


class Handle(ABC):
    """A process that stays the same one, whatever becomes of its pid."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        #: Whether the system has forbidden the last signal to it.
        self.forbidden = False
        self._dead = False

    def wait(self, timeout: float = 0.0) -> bool:
        """Wait until it is dead, a zombie or gone; whether it is. Does not reap."""
        end = time.monotonic() + timeout
        while not self._dead:
            rest = end - time.monotonic()
            self._dead = self._wait(max(min(rest, STEP), 0))
            if rest <= STEP:
                break
        return self._dead

    @abstractmethod
    def _wait(self, timeout: float) -> bool:
        """Wait until it is dead, or the time is over."""

    def parent(self) -> int | None:
        """The pid of its parent, 0 if there is none; None if the system is slow to tell."""
        return None

    @abstractmethod
    def is_child(self) -> bool:
        """Whether it is a child of this process, dead or alive, and not reaped."""

    @abstractmethod
    def exit_code(self, *, reap: bool = False) -> int | None:
        """How it ended, if it is a dead child of this process; and reap it."""

    @abstractmethod
    def _tell(self, verb: Verb) -> None:
        """Send the signal of a verb, or raise why that cannot be."""

    def tell(self, verb: Verb) -> None:
        """Send the signal of a verb; nothing happens if the process is dead."""
        self.forbidden = False
        try:
            self._tell(verb)
        except (ProcessLookupError, psutil.NoSuchProcess):
            pass
        except (PermissionError, psutil.AccessDenied):
            self.forbidden = True

    def describe(self) -> str:
        """Its pid, name and state, for people."""
        try:
            process = psutil.Process(self.pid)
            return f"pid {self.pid} ({process.name()}, {process.status()})"
        except psutil.Error:
            return f"pid {self.pid}"

    @abstractmethod
    def close(self) -> None:
        """Let go of the process."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


if sys.platform == "linux":  # pragma: no branch

    def parent_of(pidfd: int) -> int | None:
        """Ask the kernel (Linux 6.13): a fifth of the time that /proc takes."""
        told = bytearray(_PIDFD_INFO_SIZE)
        try:
            fcntl.ioctl(pidfd, _PIDFD_GET_INFO, told)
        except ProcessLookupError:
            return 0
        except OSError:  # An older kernel, or a sandbox.
            return None
        parent: int = _PIDFD_INFO.unpack_from(told)[-1]
        return parent

    class _ByPidfd(Handle):
        """By a pidfd (Linux 5.3), which never means another process."""

        def __init__(self, pid: int) -> None:
            super().__init__(pid)
            self._fd = os.pidfd_open(pid)
            if self._fd > resource.getrlimit(resource.RLIMIT_NOFILE)[0] - _RESERVED:
                os.close(self._fd)
                raise OSError(errno.EMFILE, "file descriptors are left to the program")

        def _wait(self, timeout: float) -> bool:
            poll = select.poll()
            poll.register(self._fd, select.POLLIN)
            return bool(poll.poll(math.ceil(timeout * 1000)))

        def parent(self) -> int | None:
            return parent_of(self._fd)

        def is_child(self) -> bool:
            try:
                self._waitid(os.WNOWAIT)
            except ChildProcessError:
                return False
            return True

        def exit_code(self, *, reap: bool = False) -> int | None:
            try:
                return self._waitid(0 if reap else os.WNOWAIT)
            except ChildProcessError:
                return None

        def _waitid(self, option: int) -> int | None:
            options = os.WEXITED | os.WNOHANG | option
            return _exit_code(os.waitid(os.P_PIDFD, self._fd, options))

        def _tell(self, verb: Verb) -> None:
            number = {
                "terminate": signal.SIGTERM,
                "resume": signal.SIGCONT,
                "suspend": signal.SIGSTOP,
                "kill": signal.SIGKILL,
            }[verb]
            signal.pidfd_send_signal(self._fd, number)

        def close(self) -> None:
            os.close(self._fd)


def _exit_code(found: Any) -> int | None:
    """What os.waitid() has found, as a number; its type is not on every system."""
    if found is None:
        return None
    status: int = found.si_status
    exited = sys.platform != "win32" and found.si_code == os.CLD_EXITED
    return status if exited else -status


class _ByPsutil(Handle):
    """By pid and start time: psutil compares them before each signal.

    Between the look and the signal there is a gap of microseconds.
    """

    def __init__(self, pid: int) -> None:
        super().__init__(pid)
        #: How it ended, if Windows has told.
        self._code: int | None = None
        try:
            self._process = psutil.Process(pid)
        except psutil.NoSuchProcess:
            raise ProcessLookupError(f"no process {pid}") from None

    def _wait(self, timeout: float) -> bool:
        if self._is_dead():  # Its pid may already be another's.
            return True
        if sys.platform == "win32":
            return self._wait_by_psutil(timeout)
        if hasattr(select, "kqueue"):
            return self._wait_by_kqueue(timeout)
        return self._wait_by_looking(timeout)

    def _wait_by_psutil(self, timeout: float) -> bool:
        """Wait on Windows, where the handle of a process tells its end."""
        try:
            self._code = self._process.wait(timeout)
        except psutil.TimeoutExpired:
            return False
        except psutil.AccessDenied:
            return self._wait_by_looking(timeout)
        return True

    def _wait_by_kqueue(self, timeout: float) -> bool:
        """Wait on macOS and the BSDs, where the kernel sends an event."""
        try:
            if not _exits(self.pid, timeout):
                return False
        except OSError:  # No descriptor is left, or it is not allowed.
            return self._wait_by_looking(timeout)
        # The event may come a moment before the process can be reaped.
        return self._wait_by_looking(_DYING)

    def _wait_by_looking(self, timeout: float) -> bool:
        """Where the system tells nobody else, or has no descriptor left."""
        end = time.monotonic() + timeout
        pause = 0.0005
        while not self._is_dead():
            rest = end - time.monotonic()
            if rest <= 0:
                return False
            time.sleep(min(pause, rest))
            pause = min(pause * 2, 0.04)
        return True

    def _is_dead(self) -> bool:
        try:
            alive = self._process.is_running()
            return not alive or self._process.status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True
        except psutil.AccessDenied:  # There is one, and it is no zombie of ours.
            return False

    def is_child(self) -> bool:
        try:
            return self._process.ppid() == os.getpid()
        except psutil.NoSuchProcess:
            return False

    def exit_code(self, *, reap: bool = False) -> int | None:
        if sys.platform == "win32":
            return self._code
        if not self.is_child():
            return None
        try:
            if not reap:  # Python has no waitid on macOS before 3.13.
                if not hasattr(os, "waitid"):
                    return None
                return _exit_code(
                    os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
                )
            pid, status = os.waitpid(self.pid, os.WNOHANG)
        except ChildProcessError:
            return None
        return os.waitstatus_to_exitcode(status) if pid else None

    def _tell(self, verb: Verb) -> None:
        # While a process dies of TerminateProcess, Windows refuses to resume it;
        # one that is suspended dies of it, too.
        if sys.platform != "win32" or verb != "resume":
            getattr(self._process, verb)()

    def close(self) -> None:
        pass


def _exits(pid: int, timeout: float) -> bool:
    """Wait for the event of an exit; whether it came, or there is no process."""
    select_: Any = select  # Typed for macOS and the BSDs alone.
    exits = select_.kevent(
        pid, filter=select_.KQ_FILTER_PROC, fflags=select_.KQ_NOTE_EXIT
    )
    queue = select_.kqueue()
    try:
        events = queue.control([exits], 1, timeout)
    except ProcessLookupError:
        return True
    finally:
        queue.close()
    # As there is room for an event, what is wrong comes as one, see kevent(2).
    for event in events:
        if event.flags & select_.KQ_EV_ERROR and event.data != errno.ESRCH:
            raise OSError(event.data, os.strerror(event.data))
    return bool(events)


def wait_for_all(handles: list[Handle], deadline: float) -> list[Handle]:
    """Wait until all are dead or the deadline is over; those that are alive."""
    return [h for h in handles if not h.wait(deadline - time.monotonic())]
