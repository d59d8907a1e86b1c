"""The functions for asyncio: they wait with the event loop, without a thread.

Each works like the function of the same name in `process_terminate`, and also takes
an `asyncio.subprocess.Process`, which its event loop reaps.
"""

import asyncio
import signal as signals
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager, AsyncContextDecorator

from process_terminate._event_loop import run_in_loop
from process_terminate._exit_status import ExitStatus
from process_terminate._no_orphans import begin, innermost
from process_terminate._process import adapters
from process_terminate._process.ending import checked_grace
from process_terminate._process.waits import run
from process_terminate._stop import stopping
from process_terminate._stop_tree import StoppedProcess, stopping_tree
from process_terminate._tree.blocks import Block

__all__ = ["AnyProcess", "no_orphans", "stop", "stop_all", "stop_tree"]

#: Any object that stands for one process, even a process of asyncio.
AnyProcess = adapters.AnyProcess | asyncio.subprocess.Process


async def stop(
    process: AnyProcess, *, grace: float = 5.0, signal: int = signals.SIGTERM
) -> ExitStatus:
    """Stop one process, as [`stop()`][process_terminate.stop] does, and await its end.

    It waits with the event loop, without a thread, so your other tasks continue.
    If the task is canceled, or another exception interrupts the wait, it kills the
    process at once, and raises the exception when the process is dead.
    It also kills the process if no loop continues the task: when the coroutine is
    closed, or when Python exits.
    A task that is canceled before its first turn does nothing, as with any coroutine:
    the process keeps running.

    **When to use it:** in a coroutine, for any process. The event loop reaps an
    `asyncio` process, so you can read `process.returncode` afterwards.

    **When not to use it:** for the process of `anyio.open_process()` or
    `trio.open_process()`, which it refuses with `TypeError`. Pass
    `psutil.Process(process.pid)` instead, and then `await process.wait()`.

    **Linux:** The loop watches a pidfd.
    **macOS and BSD:** It polls (not tested).
    **Windows:** It polls. The library's tests ran this on Wine 10, not on Windows
    ([which tests ran on which platform](../evidence/platforms.md)).

    **Other loops:** uvloop and anyio's asyncio backend work. Trio does not work, so
    use `trio.to_thread.run_sync()` with [`stop()`][process_terminate.stop].

    Args:
        process: Any process that [`stop()`][process_terminate.stop] takes, or an
            `asyncio.subprocess.Process` of the running loop.
        grace: Seconds between the first signal and `SIGKILL`. 0 kills at once.
        signal: The first signal, for example `signal.SIGINT`.

    Returns:
        How the process exited or was killed.

    Raises:
        TypeError: As for `stop()`.
        ValueError: As for `stop()`.
        RuntimeError: As for `stop()`.
        OSError: As for `stop()`.
        PermissionError: As for `stop()`.
        TimeoutError: As for `stop()`.

    Warning: Caveats
        - It does not stop the children of the process
          ([example: shell in asyncio](../examples/asyncio/stop_a_shell.md)).
        - Up to Python 3.11, `SIGTERM` to a forked worker also calls the handler that
          your program has set with `loop.add_signal_handler()`
          ([example: a forked child runs the handler of its parent](../examples/signals/forked_child_runs_parents_handler.md)).
    """
    _require_loop()
    steps = stopping([process], grace, signal, call="stop", loop=True)
    return (await run_in_loop(steps))[0]


async def stop_all(
    processes: Iterable[AnyProcess],
    *,
    grace: float = 5.0,
    signal: int = signals.SIGTERM,
) -> list[ExitStatus]:
    """Stop several processes, as [`stop_all()`][process_terminate.stop_all] does.

    It waits with the event loop, without a thread, so your other tasks continue.
    If the task is canceled, it kills all processes at once.

    **When to use it:** in a coroutine, for several processes. One call takes less
    than half of the processor time that one call of
    [`aio.stop()`][process_terminate.aio.stop] for each process, side by side, takes.

    **When not to use it:** if one process needs more time than the others. Await
    [`aio.stop()`][process_terminate.aio.stop] for that process.

    Args:
        processes: Processes of any kind that
            [`aio.stop()`][process_terminate.aio.stop] takes. You can mix the kinds.
        grace: Seconds between the first signal and `SIGKILL`. 0 kills at once.
        signal: The first signal, for example `signal.SIGINT`.

    Returns:
        The status of each process, in the order of `processes`.

    Raises:
        TypeError: As for `stop()`, before any signal is sent.
        ValueError: As for `stop()`, before any signal is sent.
        RuntimeError: As for `stop()`, before any signal is sent.
        OSError: As for `stop()`, before any signal is sent.
        PermissionError: As for `stop_all()`.
        TimeoutError: As for `stop_all()`.

    Warning: Caveats
        - It does not stop the children of the processes
          ([example: shell in asyncio](../examples/asyncio/stop_a_shell.md)).
    """
    _require_loop()
    return await run_in_loop(stopping(processes, grace, signal, loop=True))


async def stop_tree(
    process: AnyProcess, *, grace: float = 5.0, signal: int = signals.SIGTERM
) -> list[StoppedProcess]:
    """Stop a process tree, as [`stop_tree()`][process_terminate.stop_tree] does.

    It waits with the event loop, without a thread, so your other tasks continue.
    If the task is canceled, it kills the tree at once.
    Each rescan of the process table blocks the loop for some milliseconds.

    **When to use it:** in a coroutine, if the process starts other processes, for
    example if it is a shell that runs a command.

    **When not to use it:** if a descendant may have lost its parent before the call.
    Such an orphan no longer belongs to the tree, so use
    [`aio.no_orphans()`][process_terminate.aio.no_orphans].
    If only the first process should get the signal, await
    [`aio.stop()`][process_terminate.aio.stop].

    Args:
        process: Any process that [`aio.stop()`][process_terminate.aio.stop] takes.
        grace: Seconds between the first signal and `SIGKILL`. 0 kills at once.
        signal: The first signal, for example `signal.SIGINT`.

    Returns:
        One [`StoppedProcess`][process_terminate.StoppedProcess] per process. The
            root comes first.

    Raises:
        TypeError: As for `stop_tree()`, before any signal is sent.
        ValueError: As for `stop_tree()`, before any signal is sent.
        RuntimeError: As for `stop_tree()`, before any signal is sent.
        OSError: As for `stop_tree()`, before any signal is sent.
        PermissionError: As for `stop_tree()`.
        TimeoutError: As for `stop_tree()`.

    Warning: Caveats
        - A descendant that lost its parent before the call does not belong to the
          tree
          ([example: escape from a tree](../examples/children/escape_from_a_tree.md)).
    """
    _require_loop()
    return await run_in_loop(stopping_tree(process, grace, signal, loop=True))


def no_orphans(*, grace: float = 5.0) -> "_Block":
    """Stop, at the end of an `async with` block, every process that was started in it.

    It works like [`no_orphans()`][process_terminate.no_orphans], but waits with the
    event loop, without a thread, so your other tasks continue.
    Processes that another task starts during the block count as started inside.
    The loop reaps its own children, so `await process.wait()` works afterwards.
    If no loop continues the task, the processes of the block are killed, without a
    grace period, when the coroutine is closed, or when Python exits.

    **When to use it:** in a coroutine, around code that starts processes that may
    hide, for example a shell command that starts a program with `&`.

    **When not to use it:** for one process and its descendants, because
    [`aio.stop_tree()`][process_terminate.aio.stop_tree] does that.
    Do not use it in two tasks at the same time, or around code that starts a process
    that must survive the block.

    **Linux, macOS and BSD, Windows:** As for
    [`no_orphans()`][process_terminate.no_orphans].

    Args:
        grace: Seconds between `SIGTERM` and `SIGKILL`. 0 kills at once.

    Returns:
        An asynchronous context manager, which is also a decorator of an `async def`.
            Its value is `None`.

    Raises:
        TypeError: If `grace` is neither an `int` nor a `float`.
        ValueError: If `grace` is negative or not finite.
        RuntimeError: As for `no_orphans()`.
        OSError: As for `no_orphans()`.
        PermissionError: As for `no_orphans()`.
        TimeoutError: As for `no_orphans()`.

    Warning: Caveats
        - It cannot help if the process that runs it is itself killed
          ([example: kill the process that runs no_orphans()](../examples/children/kill_the_no_orphans_process.md)).
    """
    return _Block(checked_grace(grace))


class _Block(AsyncContextDecorator, AbstractAsyncContextManager[None]):
    """What `no_orphans()` returns: a block, or a decorator of a coroutine function.

    No generator: Python 3.11 does not tell a generator that its coroutine is closed.
    """

    def __init__(self, grace: float) -> None:
        self._grace = grace
        self._entered: list[Block] = []

    async def __aenter__(self) -> None:
        _require_loop()
        self._entered.append(begin(self._grace))

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        inside = innermost(self._entered)
        if kind is GeneratorExit:  # The coroutine is being closed, so it may not wait.
            inside.grace = 0.0
            run(inside.leaving())
            return
        try:
            await run_in_loop(inside.leaving())
            await run_in_loop(inside.settling())
        except GeneratorExit:
            raise
        except BaseException:
            await run_in_loop(inside.settling(), interrupted=True)
            raise


def _require_loop() -> None:
    """Raise before any signal is sent if there is no event loop of asyncio."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        raise RuntimeError(
            "process_terminate.aio needs an event loop of asyncio; with trio use: "
            "await trio.to_thread.run_sync(process_terminate.stop, process)"
        ) from None
