"""The terminal of `run`: job control works as if the shell had run the command."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress

assert sys.platform == "linux"  # noqa: S101  # For the type checker.


class Terminal:
    """The controlling terminal, if there is one.

    The command stays in the process group of this process. So the terminal sends
    Ctrl-C and Ctrl-Z to both, and a pipeline stays one job of the shell.
    """

    def __init__(self) -> None:
        self._fd: int | None = None
        with suppress(OSError):  # There is none.
            self._fd = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
        self._was_foreground = self._foreground() == os.getpgrp()

    def _foreground(self) -> int | None:
        """Return the process group that the terminal belongs to."""
        with suppress(OSError):
            return None if self._fd is None else os.tcgetpgrp(self._fd)
        return None  # pragma: no cover  # It has hung up.

    def follow_stop(self) -> None:
        """Stop with the command if it stopped alone, so that the shell takes over.

        A SIGCONT that is pending went to both: the command is about to continue.
        """
        if signal.SIGCONT not in signal.sigpending() and self._is_job_of_a_shell():
            os.kill(os.getpid(), signal.SIGSTOP)

    def _is_job_of_a_shell(self) -> bool:
        """Return whether the parent is a shell with job control, which can continue it.

        Such a shell has given this process a group, in its own session.
        """
        parent = os.getppid()
        if self._fd is None or parent == 0:
            return False
        with suppress(ProcessLookupError):  # It has exited meanwhile.
            same_session = os.getsid(parent) == os.getsid(0)
            return same_session and os.getpgid(parent) != os.getpgrp()
        return False  # pragma: no cover

    def restore(self) -> None:
        """Take the terminal back from a process group that is dead."""
        if self._fd is None:
            return
        owner = self._foreground()
        if self._was_foreground and owner and not _is_alive(owner):
            with suppress(OSError):  # No SIGTTOU, because `run` ignores it.
                os.tcsetpgrp(self._fd, os.getpgrp())
        os.close(self._fd)


def _is_alive(group: int) -> bool:
    try:
        with suppress(PermissionError):
            os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
