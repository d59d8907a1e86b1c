"""`exit_on_sigterm`: for the process that is to be ended."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

from process_terminate import _stdlib


@contextmanager
def exit_on_sigterm() -> Iterator[None]:
    """Let `SIGTERM` raise `SystemExit` here, so that this process cleans up.

    For the worker: inside the `with` block, or in a function that it decorates,
    `SIGTERM` ends the process by way of its `finally` and `with` blocks, its
    buffers, and its `atexit` functions, as
    [an example](../examples/terminate/clean_up_on_sigterm.md) shows.
    The exit code is 143, which is what a shell shows for a death by `SIGTERM`.
    The old handler is back at the end of the block.
    A second `SIGTERM` does not disturb the clean-up; `SIGKILL` still ends it.

    On Windows nothing sends a signal that a process could handle:
    `terminate()` is `TerminateProcess`, and this block changes nothing
    (from CPython's source, not run).

    Yields:
        Nothing.

    Raises:
        ValueError: If it is not called in the main thread, because Python
            allows signal handlers nowhere else.

    Warning: Caveats
        - A call into C that takes long, such as one of NumPy, delays the exit
          until it returns; without a handler `SIGTERM` ends it at once.
          [Proof](../examples/terminate/delay_sigterm_in_c.md)
        - A signal in the microseconds before the main thread begins to wait is
          heard only when that wait is over, as with any handler in Python.
          [Proof](../examples/terminate/signal_before_a_wait.md)
        - A bare `except:` in the worker swallows the `SystemExit`, and the
          worker goes on, deaf to `SIGTERM` until the end of the block.
          [Proof](../examples/terminate/swallow_system_exit.md)
        - A process that is forked inside the block inherits the handler.
          [Proof](../examples/terminate/inherit_the_handler.md)
        - The exit code is 143, not -15; a worker that is to end with -15 has to
          send the signal to itself once more.
          [Proof](../examples/terminate/exit_truthfully_after_cleanup.md)

    Note: Versions
        In a `multiprocessing` child of fork or forkserver, `atexit` functions
        run from Python 3.13 on.

    Info: See also
        [`stop()`](stop.md) sends the `SIGTERM`, and `SIGKILL` if it is ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        raise ValueError(
            "exit_on_sigterm() works in the main thread only, not in "
            f"{threading.current_thread().name!r}: call it before starting threads"
        )

    old = signal.signal(signal.SIGTERM, _leave)
    _active.append(_stdlib.is_task_of_executor())
    leaving = False
    try:
        yield
    except SystemExit as error:
        leaving = (
            signal.getsignal(signal.SIGTERM) is _do_nothing
            and error.code == 128 + signal.SIGTERM
        )
        raise
    finally:
        in_executor = _active.pop()
        if not leaving:  # Else a second SIGTERM would interrupt the rest of the exit.
            # None: a handler that was not set from Python cannot be set again.
            signal.signal(signal.SIGTERM, signal.SIG_DFL if old is None else old)
        elif in_executor and not _active:
            _exit()


#: For each active block, whether it is in a task of an executor.
_active: list[bool] = []


def _leave(number: int, _: FrameType | None) -> NoReturn:
    # Not SIG_IGN, which a command that the cleanup starts would inherit.
    signal.signal(number, _do_nothing)
    sys.exit(128 + number)


def _do_nothing(*_: object) -> None:
    pass


def _exit() -> NoReturn:
    """Exit here, as an executor would catch SystemExit, and keep the process."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
    os._exit(128 + signal.SIGTERM)
