"""The functions for asyncio: they wait by the event loop, without a thread.

Each does what the function of the same name in `process_terminate` does, and also
takes an `asyncio.subprocess.Process`, which its event loop reaps.
"""

import asyncio
import signal as signals
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeVar

from process_terminate import _adapters
from process_terminate._ending import checked_grace
from process_terminate._exit_status import ExitStatus
from process_terminate._orphans import Block
from process_terminate._stop import stopping
from process_terminate._stop_tree import StoppedProcess, stopping_tree
from process_terminate._waits import Steps, Wait, block

__all__ = ["AnyProcess", "no_orphans", "stop", "stop_all", "stop_tree"]

T = TypeVar("T")

#: Any object that stands for one process, that of asyncio too.
AnyProcess = _adapters.AnyProcess | asyncio.subprocess.Process


async def stop(
    process: AnyProcess, *, grace: float = 5.0, signal: int = signals.SIGTERM
) -> ExitStatus:
    """DOC-aio-stop."""
    return (await stop_all([process], grace=grace, signal=signal))[0]


async def stop_all(
    processes: Iterable[AnyProcess],
    *,
    grace: float = 5.0,
    signal: int = signals.SIGTERM,
) -> list[ExitStatus]:
    """DOC-aio-stop_all."""
    return await _run(stopping(processes, grace, signal, loop=True))


async def stop_tree(
    process: AnyProcess, *, grace: float = 5.0, signal: int = signals.SIGTERM
) -> list[StoppedProcess]:
    """DOC-aio-stop_tree."""
    return await _run(stopping_tree(process, grace, signal, loop=True))


def no_orphans(*, grace: float = 5.0) -> AbstractAsyncContextManager[None]:
    """DOC-aio-no_orphans."""
    return _no_orphans(checked_grace(grace))


@asynccontextmanager
async def _no_orphans(grace: float) -> AsyncIterator[None]:
    inside = Block(grace)
    try:
        yield
    finally:
        await _run(inside.leaving())


async def _run(steps: Steps[T]) -> T:
    """Take all steps, and let the event loop wait.

    A cancellation is raised in the steps, which then kill the processes at once, and
    continue to wait for the end of these.
    """
    error: BaseException | None = None
    closed = False
    while True:
        try:
            if error is None:
                wait = next(steps)
            else:
                error, thrown = None, error
                wait = steps.throw(thrown)
            if closed:  # There is no loop any more that could wait.
                block(wait)
            else:
                await _wait(wait)
        except StopIteration as done:
            result: T = done.value
            return result
        except BaseException as caught:  # A cancellation, or an error of the steps.
            if steps.gi_frame is None:
                raise
            error = caught
            closed = closed or isinstance(caught, GeneratorExit)


async def _wait(wait: Wait) -> None:
    """Wait until all processes are dead, a descriptor is readable, or it is time."""
    handles = [handle for handle in wait.handles if not handle.is_dead()]
    rest = wait.until - time.monotonic()
    if wait.handles and not handles:
        return
    fds = {handle.fd for handle in handles if handle.fd is not None}
    if wait.fd is not None:
        fds.add(wait.fd)
    await _readable(fds, rest)
    # Those without a descriptor, and those for which the system sends no event.
    pause = 0.001
    while (rest := wait.until - time.monotonic()) > 0:
        handles = [handle for handle in handles if not handle.is_dead()]
        if wait.handles and not handles:
            return
        if wait.fd is not None:
            return
        await asyncio.sleep(min(pause, rest))
        pause = min(pause * 2, 0.04)


async def _readable(fds: set[int], timeout: float) -> None:
    """Wait until all descriptors have been readable, or it is time."""
    if not fds or timeout <= 0:
        return
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    waiting = set(fds)

    def ready(fd: int) -> None:
        loop.remove_reader(fd)
        waiting.discard(fd)
        if not waiting and not done.done():
            done.set_result(None)

    try:
        for fd in fds:
            loop.add_reader(fd, ready, fd)
    except NotImplementedError:  # pragma: no cover  # Windows
        waiting.clear()
        return
    timer = loop.call_later(timeout, lambda: done.done() or done.set_result(None))
    try:
        await done
    finally:
        timer.cancel()
        for fd in waiting:
            loop.remove_reader(fd)
