"""Whether an object still stands for the process that it was made for."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable

import psutil

from process_terminate._process import table

_POPEN = subprocess.Popen


def popen_classes() -> set[type]:
    """Return Python's own Popen and the one in its place, such as gevent's.

    In a test that may be a mock, which is no class and starts nothing.
    """
    return {kind for kind in (_POPEN, subprocess.Popen) if isinstance(kind, type)}


def has_other_reaper() -> bool:
    """Return whether SIGCHLD is ignored or handled, so that others reap children here.

    asyncio then says 255 of a child whose exit code it did not get.
    """
    number = getattr(signal, "SIGCHLD", None)
    return number is not None and signal.getsignal(number) != signal.SIG_DFL


def refuse_older(pid: int) -> bool:
    """Raise if a process that is not a child is older than the caller.

    Then it belongs to the process that the caller was forked from. A younger one
    only got the pid of a child that was reaped elsewhere.
    """
    found, caller = table.look_up(pid), table.look_up(os.getpid())
    if found and caller and found.started <= caller.started and not found.is_dead:
        raise ValueError(
            f"pid {pid} was started by another process; only that process can stop it"
        )
    return False


def is_running(process: psutil.Process, *, is_child: Callable[[], bool]) -> bool:
    """Return whether a process of psutil is the one that it was, even as Python exits.

    psutil cannot tell that then, because its modules are gone. A child is taken for it.
    In a /proc of another pid namespace, psutil has seen a process with another pid.
    """
    try:
        found = process.is_running()
        if sys.platform == "linux" and found and not is_child():
            table.require("stop")
            require_own_pids("stop")
        return found
    except (KeyError, NameError):
        if is_child():
            return True
        raise RuntimeError(
            f"cannot tell whether pid {process.pid} is still the same process, as "
            "Python exits; stop it earlier, for example by atexit"
        ) from None


def require_own_pids(purpose: str) -> None:
    """Raise if psutil reads the pids of another pid namespace, on Linux."""
    if sys.platform == "linux":
        own = os.readlink(f"{psutil.PROCFS_PATH}/self")  # noqa: PTH115, as it is faster
        if own != str(os.getpid()):
            raise RuntimeError(
                f"psutil reads the pids of another pid namespace in "
                f"{psutil.PROCFS_PATH}; set psutil.PROCFS_PATH to '/proc' before you "
                f"look for processes to {purpose}"
            )
