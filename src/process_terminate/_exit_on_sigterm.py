"""`exit_on_sigterm`, for the process that gets the signal."""

import atexit
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import (
    AbstractContextManager,
    ContextDecorator,
    contextmanager,
    suppress,
)
from types import FrameType
from typing import Any, NoReturn, TypeVar

from process_terminate._process import stdlib
from process_terminate._process.ending import refuse_suspended
from process_terminate._process.gate import handler_behind_gates

F = TypeVar("F", bound=Callable[..., Any])


def exit_on_sigterm() -> "_Block":
    """Exit by `SystemExit` on `SIGTERM`, so that this process cleans up.

    Use it in the worker, as a `with` block or as a decorator of a function.
    `SIGTERM` then raises `SystemExit(143)` in the main thread.
    So `finally` blocks and the exits of `with` blocks run, buffers are written, and
    `atexit` functions are called
    ([example: clean up on SIGTERM](../examples/signals/clean_up_on_sigterm.md)).
    A shell reports 143 for a process terminated by `SIGTERM`.
    A second `SIGTERM` does not interrupt the cleanup, but `SIGKILL` does.
    The end of the block restores the old handler of Python. It cannot restore one of C
    code, such as that of `faulthandler.register(SIGTERM)`, and sets the default action.
    After a `SIGTERM` the handler of this block stays in place until the exit. So if you
    catch the `SystemExit` outside the block, the program ignores later `SIGTERM`s.

    **When to use it:** if a worker has something to clean up within the grace period
    of [`stop()`][process_terminate.stop], for example a temporary file.

    **When not to use it:** in a thread, or if another program expects the exit code
    -15, because the worker exits with 143 instead.
    It cannot decorate an `async def` or a generator function, whose code runs after the
    call. Write `with exit_on_sigterm():` around `asyncio.run()` instead.

    **Linux, macOS and BSD:** If your cleanup starts a command or forks a process, that
    process does not ignore `SIGTERM`. A command that starts after the `atexit`
    functions, for example in a `__del__`, does ignore it.
    If you fork a process inside the block before `SIGTERM` arrives, that process
    inherits the handler. Only Linux was tested.

    **Windows:** No signal arrives there. `terminate()` is `TerminateProcess`, and this
    block changes nothing. On Wine 10 a handler of `SIGTERM` was not called;
    Windows itself was not tested
    ([example: the handler is not called](../examples/windows/finally_is_skipped.md)).

    **In a task of a `ProcessPoolExecutor`:** The executor catches `SystemExit` and
    passes it to the parent. So the worker exits with 143 at the end of the block,
    without `atexit` functions, and the parent gets `BrokenProcessPool`.
    If the parent is inside such a block when it forks the workers, they inherit its
    handler. Then decorate each task as well. Otherwise `SIGTERM` stops only the current
    task, and the worker takes the next one.

    **If the program has non-daemon children or threads:** Python waits for them at its
    exit, also for the tasks of an executor, and ignores `SIGTERM` meanwhile. Stop them
    in the block, for example by [`no_orphans()`][process_terminate.no_orphans]
    ([example: stop the children on SIGTERM](../examples/children/stop_children_on_sigterm.md)).

    Returns:
        A context manager, which is also a decorator. Its value is `None`.

    Raises:
        TypeError: If it decorates an `async def` or a generator function.
        ValueError: If it is not called in the main thread, because Python
            allows signal handlers only there.

    Warning: Caveats
        - A long call into C, for example into NumPy, delays the exit until it
          returns. Without a handler `SIGTERM` terminates the process at once
          ([example: delayed by C](../examples/signals/c_code_delays_sigterm.md)).
        - If a signal arrives in the microseconds before the main thread begins to
          wait, Python handles it only when that wait is over, as with any handler
          ([example: signal before a wait](../examples/signals/signal_just_before_a_wait.md)).
        - A bare `except:` in the worker catches the `SystemExit`, and so does Python if
          the signal arrives in a `__del__` or a callback of `weakref`. The worker then
          continues, and ignores `SIGTERM` until the end of the block
          ([example: SystemExit is caught](../examples/signals/system_exit_is_caught.md)).
        - A process that is forked inside the block inherits the handler
          ([example: inherited handler](../examples/signals/forked_worker_inherits_handler.md)).
        - The exit code is 143, not -15. If you need -15, let the worker send the
          signal to itself again
          ([example: exit with -15 after cleanup](../examples/signals/clean_up_and_exit_with_minus_15.md)).

    Note: Versions
        In a `multiprocessing` child of fork or forkserver, `atexit` functions run in
        Python 3.13 and later.
    """
    return _Block()


class _Block(ContextDecorator, AbstractContextManager[None]):
    """What `exit_on_sigterm()` returns: a block, or a decorator of a function."""

    def __init__(self) -> None:
        self._entered: list[AbstractContextManager[None]] = []

    def __enter__(self) -> None:
        block = _block()
        block.__enter__()
        self._entered.append(block)

    def __exit__(self, *error: Any) -> bool | None:
        if not self._entered:
            raise RuntimeError(
                "exit_on_sigterm() was not entered: use a with statement"
            )
        return self._entered.pop().__exit__(*error)

    def __call__(self, function: F) -> F:
        refuse_suspended(function, "exit_on_sigterm")
        return super().__call__(function)


@contextmanager
def _block() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        raise ValueError(
            "exit_on_sigterm() works in the main thread only, not in "
            f"{threading.current_thread().name!r}: call it before starting threads"
        )

    old = signal.signal(signal.SIGTERM, _leave)
    _active.append(stdlib.executor_of_task())
    leaving = False
    try:
        yield
    except SystemExit as error:
        leaving = _is_leaving() and error.code == 128 + signal.SIGTERM
        raise
    finally:
        executor = _active.pop()
        if not leaving:  # Else a second SIGTERM would interrupt the rest of the exit.
            # None: a handler that was not set from Python cannot be set again.
            signal.signal(signal.SIGTERM, signal.SIG_DFL if old is None else old)
        elif executor and executor not in _active:  # The outermost block of the task.
            _exit()


#: For each active block, the frame of the executor that called its task, if any.
#: A forked worker of an executor has the blocks of its parent too, with other frames.
_active: list[FrameType | None] = []


def _leave(number: int, _: FrameType | None) -> NoReturn:
    # If only the parent of this executor has a block, the executor catches SystemExit,
    # and the next task must not ignore SIGTERM.
    if stdlib.executor_of_task() in [None, *_active]:
        # Not SIG_IGN, which a command that the cleanup starts would inherit.
        signal.signal(number, _do_nothing)
    sys.exit(128 + number)


def _do_nothing(*_: object) -> None:
    pass


def _is_leaving() -> bool:
    """Return whether SIGTERM has arrived, even while stop() holds signals back."""
    handler = handler_behind_gates(signal.SIGTERM)
    return handler is _do_nothing or (_at_exit.is_set() and handler == signal.SIG_IGN)


#: Whether the exit ignores SIGTERM by now.
_at_exit = threading.Event()


@atexit.register
def _ignore_from_now_on() -> None:
    """Keep a second SIGTERM from interrupting the exit after the atexit functions.

    Python restores the default action of each signal that has a handler in Python
    before it writes the last buffers, but it leaves SIG_IGN.
    """
    if _is_leaving():
        with suppress(ValueError):  # Not in the main thread of the main interpreter.
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            _at_exit.set()


#: What each thread blocked before the fork that it makes in a cleanup.
_masks = threading.local()


def _before_fork() -> None:
    """Block SIGTERM, which the child could get before it has its default action."""
    if _is_leaving():
        block = signal.SIG_BLOCK  # type: ignore[attr-defined,unused-ignore]
        _masks.old = signal.pthread_sigmask(  # type: ignore[attr-defined,unused-ignore]
            block, [signal.SIGTERM]
        )


def _after_fork() -> None:
    old = _masks.__dict__.pop("old", None)
    if old is not None:
        set_mask = signal.SIG_SETMASK  # type: ignore[attr-defined,unused-ignore]
        signal.pthread_sigmask(set_mask, old)  # type: ignore[attr-defined,unused-ignore]


def _after_fork_in_child() -> None:
    """Let a process that the cleanup forks end by SIGTERM."""
    if _is_leaving():
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        _at_exit.clear()
    _after_fork()


if hasattr(os, "register_at_fork"):  # pragma: no branch
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork,
        after_in_child=_after_fork_in_child,
    )


def _exit() -> NoReturn:
    """Exit here, as an executor would catch SystemExit, and keep the process."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
    os._exit(128 + signal.SIGTERM)
