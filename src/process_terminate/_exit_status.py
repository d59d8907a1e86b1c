"""`ExitStatus`."""

import signal
import sys
from dataclasses import dataclass, field

from process_terminate._exit_codes.rows import ORIGINS, without_sign
from process_terminate._exit_codes.signals import HIGHEST, SHELL_BASE


@dataclass(frozen=True)
class ExitStatus:
    """Explain an exit code: the signal, the number in a shell, and a sentence.

    Pass the number that `Process.exitcode` or `Popen.returncode` shows. It is 0 or
    more for an exit, and `-n` for a process killed by signal n
    ([example: exit codes](../examples/exit_codes/read_exit_codes.md)).
    If the number is from a shell, which shows it as `$?`, use
    [`from_shell()`][process_terminate.ExitStatus.from_shell].
    `str()` makes a sentence of it
    ([example: describe exit codes](../examples/exit_codes/describe_exit_codes.md)).

    Args:
        code: The exit code, or `None` if it is unknown, because the process is still
            running or was reaped elsewhere.
        gone: Whether the process is known to be dead although its code is unknown.

    Raises:
        TypeError: If `code` is neither an integer nor `None`.
        ValueError: If no process can leave such a number.

    Warning: Caveats
        - A shell has one number, 143, for a process terminated by `SIGTERM` and for
          `sys.exit(143)`. `from_shell()` assumes that it was `SIGTERM`
          ([example: Python and a shell](../examples/exit_codes/minus_15_or_143.md)).
        - A negative number that you pass to `sys.exit()` becomes another number, for
          example -15 becomes 241
          ([example: exit code 241](../examples/exit_codes/exit_code_241.md)).
        - If the forkserver of a worker died, the exit code is 255, and the worker may
          even be alive
          ([example: killed forkserver](../examples/exit_codes/forkserver_killed.md)).
    """

    code: int | None
    """The number, as `Process.exitcode` has it: -15 for a process that was
    terminated by `SIGTERM`."""
    gone: bool = field(default=False, kw_only=True, compare=False, repr=False)
    """Whether the process is known to be dead although its code is unknown."""

    def __post_init__(self) -> None:
        if self.code is None:
            return
        if not isinstance(self.code, int) or isinstance(self.code, bool):
            raise TypeError(f"code must be an int or None, got {self.code!r}")
        object.__setattr__(self, "code", without_sign(self.code))
        if not -HIGHEST <= self.code < 2**32:
            raise ValueError(
                f"code must be an exit code that a process can leave, got {self.code}"
            )

    @classmethod
    def from_shell(cls, code: int) -> "ExitStatus":
        """Return the status for the number that a shell shows, `$?`.

        143 stands for a process that was terminated by `SIGTERM`.

        Args:
            code: 0 to 255.

        Returns:
            The status, with the code that Python would have shown.

        Raises:
            TypeError: If `code` is not an integer.
            ValueError: If it is not in 0 to 255.
        """
        if not isinstance(code, int) or isinstance(code, bool):
            raise TypeError(f"code must be an int, got {code!r}")
        if not 0 <= code <= 255:
            raise ValueError(f"code must be 0 to 255, as $? is, got {code}")
        number = code - SHELL_BASE
        return cls(-number if 1 <= number <= HIGHEST else code)

    @property
    def signal(self) -> int | None:
        """The number of the signal that killed the process, or `None` for an exit."""
        return -self.code if self.code is not None and self.code < 0 else None

    @property
    def signal_name(self) -> str | None:
        """The name of that signal, such as `SIGTERM` or `SIGRTMIN+2`."""
        return None if self.signal is None else name_of(self.signal)

    @property
    def shell_code(self) -> int | None:
        """The number in a shell: 128 + n for signal n, else the lowest 8 bits."""
        if self.code is None:
            return None
        return SHELL_BASE - self.code if self.code < 0 else self.code & 0xFF

    @property
    def success(self) -> bool:
        """Whether the exit code is 0."""
        return self.code == 0

    @property
    def killed(self) -> bool:
        """Whether a signal killed the process, or `TerminateProcess` on Windows."""
        return self.signal is not None or self.code == 0x10000

    def __str__(self) -> str:
        """Return a sentence for people."""
        if self.code is None:
            if self.gone:
                return "ended; its exit code is not available here"
            return "unknown: still running, or reaped elsewhere"
        if self.signal is not None:
            killed = f"killed by {self.signal_name} ({self.signal})"
            if sys.platform != "win32":
                return f"{killed}; a shell shows {self.shell_code}"
            # No shell shows 128 + n there, and multiprocessing has one number for all.
            by_call = self.code == -signal.SIGTERM
            return "terminated by TerminateProcess (-15)" if by_call else killed
        if self.success:
            return "succeeded (0)"
        shown = self.code if self.code <= 255 else hex(self.code)
        origins = [ORIGINS[self.code]] if self.code in ORIGINS else []
        shown = f"exited with {shown}" + "".join(f"; {text}" for text in origins)
        return shown + _from_elsewhere(self.code)


def _from_elsewhere(code: int) -> str:
    """Return what a code over 128 may have been before it was passed on."""
    if sys.platform == "win32" or not SHELL_BASE < code < 255:
        return ""
    number = code - SHELL_BASE
    if number <= HIGHEST:
        return (
            f" (a shell reports {code} for a process terminated by {name_of(number)})"
        )
    return f" (sys.exit({code - 256}) becomes {code})"


def name_of(number: int) -> str:
    """Return the name of a signal, even of one without a name of its own."""
    try:
        return signal.Signals(number).name
    except ValueError:
        first = getattr(signal, "SIGRTMIN", HIGHEST)
        return f"SIGRTMIN+{number - first}" if number > first else f"signal {number}"
