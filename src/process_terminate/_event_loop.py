"""Let the event loop of asyncio wait while a function takes its steps."""

import asyncio
import atexit
import os
from contextlib import suppress
from typing import Any, TypeVar

from process_terminate._process.handle import monotonic
from process_terminate._process.waits import Steps, Wait, advance, block, is_over, run

T = TypeVar("T")
#: The steps of each call that is not over, and the pid of its process. Without this
#: reference, the garbage collector may close them before the coroutine that would let
#: them end.
_UNFINISHED: dict[Steps[Any], int] = {}


async def run_in_loop(steps: Steps[T], *, interrupted: bool = False) -> T:
    """Take all steps, and let the event loop wait.

    A cancellation is raised in the steps, which then kill the processes at once, and
    continue to wait for the end of these. The next cancellations change nothing: anyio
    cancels its task again in each turn of the loop. If the call was interrupted before
    these steps, none changes anything.
    """
    _UNFINISHED[steps] = os.getpid()
    try:
        return await _ended(steps, interrupted)
    finally:
        del _UNFINISHED[steps]


async def _ended(steps: Steps[T], interrupted: bool) -> T:
    error: BaseException | None = None
    closed = False
    while True:
        try:
            thrown, error = error, None
            wait = advance(steps, thrown)
            if closed:  # There is no loop any more that could wait.
                block(wait)
            elif interrupted:
                await _wait_through(wait)
            else:
                await _wait(wait)
        except StopIteration as done:
            result: T = done.value
            return result
        except GeneratorExit:
            closed = True
            # Generators that get GeneratorExit itself may not wait any more.
            error = asyncio.CancelledError()
        except BaseException as caught:  # A cancellation, or an error of the steps.
            if is_over(steps):
                if closed and isinstance(caught, asyncio.CancelledError):
                    raise GeneratorExit from None
                raise
            error = caught
            interrupted = True


@atexit.register
def _end_at_exit() -> None:
    """End the calls that no loop will continue: later, modules cannot be imported."""
    for steps, process in list(_UNFINISHED.items()):
        # ValueError: another thread takes its steps.
        with suppress(asyncio.CancelledError, ValueError):
            if process == os.getpid():
                run(steps, asyncio.CancelledError())


async def _wait(wait: Wait) -> None:
    """Wait until all processes are dead, a descriptor is readable, or it is time."""
    if wait.handles is None:  # At least one turn of the loop.
        rest = wait.until - monotonic() if wait.fd is None else 0
        await asyncio.sleep(max(rest, 0))
        if wait.fd is None:
            return
    waiting = [handle for handle in wait.handles or [] if not handle.is_dead()]
    fds = {handle.fd for handle in waiting if handle.fd is not None}
    if wait.fd is not None:
        fds.add(wait.fd)
    await _readable(fds, wait.until - monotonic())
    # Where the system sends no event.
    pause = 0.001
    while waiting := [handle for handle in waiting if not handle.is_dead()]:
        if (rest := wait.until - monotonic()) <= 0:
            return
        await asyncio.sleep(min(pause, rest))
        pause = min(pause * 2, 0.04)


async def _wait_through(wait: Wait) -> None:
    """Wait to the end, although the task is canceled meanwhile."""
    done = False
    while not done:
        with suppress(asyncio.CancelledError):
            await _wait(wait)
            done = True
        done |= monotonic() >= wait.until


async def _readable(fds: set[int], timeout: float) -> None:
    """Wait until all descriptors have been readable, or it is time."""
    if not fds or timeout <= 0:
        return
    loop = asyncio.get_running_loop()
    done = asyncio.Event()
    waiting = set(fds)

    def ready(fd: int) -> None:
        loop.remove_reader(fd)
        waiting.discard(fd)
        if not waiting:
            done.set()

    for fd in fds:  # Windows, whose loop cannot do that, has none.
        loop.add_reader(fd, ready, fd)
    timer = loop.call_later(timeout, done.set)
    try:
        await done.wait()
    finally:
        timer.cancel()
        for fd in waiting:
            loop.remove_reader(fd)
