"""Waits: the steps of each function, without the way in which it waits.

A function of the library is a generator that yields a `Wait` where it has to wait.
`run()` waits in this thread; `process_terminate.aio` lets the event loop wait. An
exception that comes during a wait is raised in the generator, at its `yield`.
"""

import math
import select
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar

from process_terminate._process.handle import STEP, Handle, monotonic

T = TypeVar("T")

#: Seconds that a process may take to die of SIGKILL.
LAST_WAIT = 10.0
#: Seconds for what takes milliseconds: reaping, the end of a thread, a lock.
NOTE_WAIT = 1.0


class Wait(NamedTuple):
    """Wait until all processes are dead, or it is time."""

    until: float
    #: None to wait only until it is time, or until the descriptor is readable.
    handles: list[Handle] | None
    fd: int | None = None


Steps = Generator[Wait, None, T]


def pause(seconds: float, fd: int | None = None) -> Wait:
    """Return a wait for some time."""
    return Wait(monotonic() + seconds, None, fd)


def after_turns(
    loop: bool, grace: float, stop: Callable[[float], Steps[T]]
) -> Steps[T]:
    """Let an event loop note which children its thread has reaped, then stop processes.

    Until then another process may have the pid. asyncio needs three turns for that.

    Args:
        loop: Whether an event loop waits.
        grace: Seconds of grace; none if an exception interrupts the turns.
        stop: Returns the steps that stop the processes within a grace period.
    """
    try:
        for _ in range(4 if loop else 0):
            yield pause(0)
    except BaseException:
        grace = 0
        raise
    finally:
        found = yield from stop(grace)
    return found


def wait_for(handles: list[Handle], seconds: float) -> Wait:
    """Return a wait until all are dead, or some time is over."""
    return Wait(monotonic() + seconds, handles)


def pauses(seconds: float, until: float = math.inf) -> Iterator[Wait]:
    """Return ever longer pauses, until some time is over."""
    end = min(monotonic() + seconds, until)
    length = 0.0002
    while (now := monotonic()) < end:
        yield Wait(min(now + length, end), None)
        length = min(length * 2, 0.02)


def run(steps: Steps[T], error: BaseException | None = None) -> T:
    """Take all steps, and wait in this thread; an error interrupts the last one."""
    while True:
        try:
            thrown, error = error, None
            block(advance(steps, thrown))
        except StopIteration as done:
            result: T = done.value
            return result
        except BaseException as caught:  # Ctrl-C, or an error of the steps.
            if is_over(steps):
                raise
            error = caught


def advance(steps: Any, error: BaseException | None) -> Wait:
    """Take the next steps, up to a wait; with an exception that interrupted the last one."""
    wait: Wait = next(steps) if error is None else steps.throw(error)
    return wait


def is_over(steps: Any) -> bool:
    """Return whether all steps are taken, so that an exception came out of them."""
    return steps.gi_frame is None


def block(wait: Wait) -> None:
    """Wait in this thread."""
    for handle in wait.handles or []:
        while not handle.wait(wait.until - monotonic()):
            if monotonic() >= wait.until:
                break
    if wait.handles is not None:
        return
    rest = max(min(wait.until - monotonic(), STEP), 0)
    if wait.fd is None or sys.platform == "win32" or not hasattr(select, "poll"):
        time.sleep(rest)
    else:
        poll = select.poll()
        poll.register(wait.fd, select.POLLIN)
        poll.poll(rest * 1000)


@contextmanager
def locked(lock: Any) -> Iterator[None]:
    """Hold a lock; TimeoutError if another thread does not release it."""
    if not lock.acquire(timeout=NOTE_WAIT):
        raise TimeoutError(f"a lock was not released within {NOTE_WAIT:g} s: {lock!r}")
    try:
        yield
    finally:
        lock.release()
