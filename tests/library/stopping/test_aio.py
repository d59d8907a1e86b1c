"""process_terminate.aio: the same, while the event loop runs."""

import asyncio
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any

import psutil
import pytest
import workers
from support import (
    DEADLINE,
    FORK,
    IGNORE,
    IS_WINDOWS,
    KILLED,
    REST,
    TERMINATED,
    TREE,
    Start,
    fail,
    forks,
    not_on_windows,
    wait_until,
)

from process_terminate import ExitStatus, _event_loop, aio
from process_terminate._process import adapters, handle
from process_terminate._process.waits import Wait
from process_terminate._tree import blocks, noting

# In a worker of xdist, Playwright may already run an event loop.
pytestmark = pytest.mark.alone


ignores = not_on_windows("needs a process that ignores SIGTERM")


def run(main: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine, which must not take longer than a test may."""
    return asyncio.run(asyncio.wait_for(main, DEADLINE * 2))


async def shell(command: str) -> asyncio.subprocess.Process:
    """Start a shell, and wait until it is ready."""
    if IS_WINDOWS and command not in {IGNORE, REST}:
        pytest.skip("starts /bin/sh")
    program = workers.SLEEP if IS_WINDOWS else ["/bin/sh", "-c", command]
    process = await asyncio.create_subprocess_exec(
        *program, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    assert await process.stdout.readline() in {b"\n", b"\r\n"}
    return process


@pytest.mark.parametrize(
    ("command", "grace", "status"),
    [(REST, 5, TERMINATED), (IGNORE, 0.2, KILLED), (REST, 0, KILLED)],
)
def test_stop_awaits_the_end_of_a_process_of_the_loop(
    command: str, grace: float, status: ExitStatus
) -> None:
    async def main() -> None:
        process = await shell(command)
        assert await aio.stop(process, grace=grace) == status
        assert process.returncode == await process.wait() == status.code
        assert await aio.stop(process) == status

    run(main())


def test_stop_all_takes_every_kind_and_the_loop_continues(start: Start) -> None:
    async def main() -> int:
        processes = [
            start(kind, "ignore_sigterm").process
            for kind in ("fork", "forkserver", "psutil")
        ]
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0.01)
                ticks += 1

        ticking = asyncio.create_task(tick())
        threads = threading.active_count()
        stopping = asyncio.create_task(
            aio.stop_all([*processes, await shell(IGNORE)], grace=0.5)
        )
        await asyncio.sleep(0.1)
        assert threading.active_count() <= threads + (sys.version_info < (3, 12))
        assert await stopping == [KILLED] * 4
        ticking.cancel()
        return ticks

    assert run(main()) > 5


def test_stop_all_and_stop_tree_return_how_each_process_ended(start: Start) -> None:
    async def main() -> None:
        first, second = await shell(REST), start("spawn").process
        assert await aio.stop_all([first, second]) == [TERMINATED] * 2
        assert first.returncode == second.exitcode == TERMINATED.code
        (found,) = await aio.stop_tree(await shell(REST))
        assert (found.signal, found.status) == (signal.SIGTERM, TERMINATED)

    run(main())


def test_block_of_no_orphans_stops_its_processes() -> None:
    async def main() -> None:
        async with aio.no_orphans():
            process = await shell(REST)
        assert await process.wait() == TERMINATED.code

    run(main())


def test_stop_sends_the_first_signal_that_is_given() -> None:
    async def main() -> None:
        process = await shell("trap 'exit 7' USR1; echo; while :; do sleep .05; done")
        assert (await aio.stop(process, signal=signal.SIGUSR1)).code == 7

    run(main())


def test_stop_tree_and_no_orphans_stop_descendants() -> None:
    async def main() -> None:
        found = await aio.stop_tree(await shell(TREE), grace=0.2)
        assert [p.status for p in found] == [KILLED] * 2
        async with aio.no_orphans(grace=0.2):
            process = await shell(TREE)
            other = workers.ready()
            children = psutil.Process(process.pid).children()
        assert await process.wait() == -9
        assert other.returncode == -9
        assert other.stdout
        other.stdout.close()
        assert not any(child.is_running() for child in children)

    run(main())


CALLS: dict[str, Callable[[Any], Coroutine[Any, Any, object]]] = {
    "stop": lambda process: aio.stop(process, grace=60),
    "stop_all": lambda process: aio.stop_all([process], grace=60),
    "stop_tree": lambda process: aio.stop_tree(process, grace=60),
}


@ignores
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_canceled_call_kills_the_process_and_is_canceled(
    call: Callable[[Any], Coroutine[Any, Any, object]],
) -> None:
    """As stop() does on Ctrl-C."""

    async def main() -> None:
        process = await shell(IGNORE)
        before = time.monotonic()
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(call(process), 0.2)
        assert time.monotonic() - before < DEADLINE
        assert process.returncode == KILLED.code

    run(main())


@ignores
@pytest.mark.parametrize("call", [aio.stop, aio.stop_tree])
def test_call_that_is_canceled_in_each_turn_of_the_loop_leaves_nothing(
    call: Callable[..., Coroutine[Any, Any, object]],
) -> None:
    """As anyio does until its task has ended."""

    async def main() -> None:
        process = await shell(IGNORE)
        task = asyncio.create_task(call(process, grace=60))
        await asyncio.sleep(0.1)
        while not task.done():
            task.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await task
        assert process.returncode == KILLED.code

    run(main())


@ignores
def test_canceled_block_kills_what_was_started() -> None:
    async def main() -> None:
        started = []

        async def block() -> None:
            async with aio.no_orphans(grace=60):
                started.append(await shell(IGNORE))

        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(block(), 0.5)
        assert await started[0].wait() == KILLED.code

    run(main())


@ignores
@pytest.mark.parametrize("grace", [0, 60])
def test_block_that_is_canceled_in_each_turn_knows_the_exit_codes(grace: float) -> None:
    async def main() -> None:
        started = []

        async def block() -> None:
            async with aio.no_orphans(grace=grace):
                started.extend([await shell(IGNORE) for _ in range(3)])
                await asyncio.sleep(DEADLINE)

        task = asyncio.create_task(block())
        while len(started) < 3:
            await asyncio.sleep(0.01)
        while not task.done():
            task.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await task
        assert {process.returncode for process in started} == {KILLED.code}

    run(main())


@ignores
def test_call_whose_loop_is_closed_kills_the_process() -> None:
    """As when a coroutine is dropped in its wait."""
    with workers.ready() as process:

        async def main() -> None:
            stopping: Any = aio.stop(process, grace=60)

            async def wait() -> None:
                await stopping

            task = asyncio.create_task(wait())
            await asyncio.sleep(0.1)
            coroutine: Any = task.get_coro()
            coroutine.close()
            assert process.returncode == KILLED.code
            task.cancel()
            with pytest.raises(RuntimeError, match="already awaited"):
                await task

        asyncio.run(main())


@not_on_windows("waits for a descriptor, which the event loop of Windows cannot")
def test_wait_ends_when_a_descriptor_is_readable() -> None:
    reader, writer = os.pipe()
    os.write(writer, b"1")
    asyncio.run(_event_loop._wait(Wait(time.monotonic() + DEADLINE, None, reader)))
    os.close(reader)
    os.close(writer)


@not_on_windows("compares with pidfds")
def test_stop_works_without_pidfds(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        with monkeypatch.context() as patch:
            process = await shell(IGNORE)
            patch.setattr(handle, "_PidfdHandle", fail(OSError(38, "ENOSYS")))
            assert await aio.stop(process, grace=0.1) == KILLED

    run(main())


@forks
def test_worker_of_a_forkserver_is_awaited() -> None:
    async def main() -> None:
        context = multiprocessing.get_context("forkserver")
        workers = [context.Process(target=time.sleep, args=(60,)) for _ in range(3)]
        for worker in workers:
            worker.start()
        assert await aio.stop_all(workers) == [TERMINATED] * 3

    run(main())


def test_stop_of_something_else_is_a_type_error() -> None:
    async def main() -> None:
        with pytest.raises(TypeError, match=r"^stop\(\) takes a"):
            await aio.stop(os.getpid())  # type: ignore[arg-type]

    run(main())


@not_on_windows("no thread of the event loop reaps there")
@pytest.mark.skipif(sys.version_info >= (3, 12), reason="no thread reaps there")
def test_pid_of_a_child_that_the_loop_has_not_noted_is_not_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A thread of the loop has reaped it, so another process may have its pid."""
    open_handle = handle.open_handle

    async def main(other: int) -> ExitStatus:
        threads = threading.active_count()
        child = await asyncio.create_subprocess_exec("true")
        # The thread has reaped it and told the loop, which stands still.
        wait_until(lambda: not psutil.pid_exists(child.pid))
        wait_until(lambda: threading.active_count() == threads)
        monkeypatch.setattr(
            adapters, "open_handle", lambda *_, **__: open_handle(other)
        )
        return await aio.stop(child)

    with subprocess.Popen(["sleep", "60"]) as other:
        assert run(main(other.pid)) == ExitStatus(0)
        assert other.poll() is None
        other.kill()


@ignores
@pytest.mark.parametrize("call", [aio.stop, aio.stop_tree])
def test_call_that_is_cancelled_before_its_first_signal_kills(
    call: Callable[..., Coroutine[Any, Any, Any]],
) -> None:
    """Meanwhile it lets the loop note which children are dead."""

    async def main() -> int | None:
        child = await shell(IGNORE)
        task = asyncio.create_task(call(child, grace=600))
        await asyncio.sleep(0)  # The task has begun.
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return child.returncode

    assert run(main()) == KILLED.code


@pytest.mark.skipif(sys.platform == "win32", reason="forks")
def test_call_without_a_loop_of_asyncio_says_what_to_use_with_trio(
    start: Start,
) -> None:
    worker = start(FORK)
    with pytest.raises(RuntimeError, match=r"needs an event loop .* with trio use: "):
        aio.stop(worker.process).send(None)
    assert worker.code() is None


def test_block_does_not_wait_for_long_for_a_loop_that_reaps_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def main() -> None:
        async with aio.no_orphans():
            monkeypatch.setattr(noting.Children, "are_expected", lambda _: True)

    monkeypatch.setattr(blocks, "NOTE_WAIT", 0.01)
    asyncio.run(asyncio.wait_for(main(), DEADLINE))


@pytest.mark.skipif(sys.platform == "win32", reason="forks")
def test_block_waits_until_uvloop_has_reaped_its_children() -> None:
    """It forks them itself, and learns of their end from SIGCHLD, a little later."""
    loop_class = type(
        "Loop", (asyncio.SelectorEventLoop,), {"__module__": "uvloop.loop"}
    )
    reaped = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        async with aio.no_orphans(grace=0):
            if (pid := os.fork()) == 0:
                signal.pause()

            def reap() -> None:
                if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG):
                    reaped.append(pid)
                else:
                    loop.call_later(0.05, reap)

            loop.call_later(0.05, reap)
        assert reaped == [pid]

    loop = loop_class()
    try:
        loop.run_until_complete(main())
    finally:
        loop.close()
