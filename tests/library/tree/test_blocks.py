"""no_orphans() on Linux and on Windows: a block stops what it has started, and no more."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from multiprocessing import get_context
from typing import Any

import psutil
import pytest
from support import DEADLINE

from process_terminate import aio, no_orphans
from process_terminate._process import pools
from process_terminate._tree import blocks

IS_WINDOWS = sys.platform == "win32"
pytestmark = pytest.mark.skipif(
    not IS_WINDOWS and sys.platform != "linux", reason="needs Linux or Windows"
)

STOPPED, KILLED = (15, 15) if IS_WINDOWS else (-15, -9)
#: Not a forkserver, the default of Python 3.14, which survives a block.
CONTEXT: Any = get_context("spawn" if IS_WINDOWS else "fork")
SLEEP = "import time; time.sleep(600)"
#: Prints the pids of a chain: itself, its child, and so on.
CHAIN = """
import os, subprocess, sys
level = int(sys.argv[1])
print(os.getpid(), flush=True)
if level:
    child = subprocess.Popen([sys.executable, "-c", sys.argv[2], str(level - 1), sys.argv[2]])
    if "exits" not in sys.argv:
        child.wait()
else:
    import time; time.sleep(600)
"""


Popen = subprocess.Popen[bytes]


def sleeper() -> Popen:
    return subprocess.Popen([sys.executable, "-c", SLEEP])


def chain(levels: int, *options: str) -> tuple[Popen, list[int]]:
    """Start a chain of processes; return the first, and all pids when the last runs."""
    command = [sys.executable, "-c", CHAIN, str(levels), CHAIN, *options]
    first = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert first.stdout
    with first.stdout as lines:
        return first, [int(lines.readline()) for _ in range(levels + 1)]


def test_children_of_children_are_stopped() -> None:
    with no_orphans():
        first, pids = chain(3)
        found = [psutil.Process(pid) for pid in pids]
        assert all(process.is_running() for process in found)
    assert not any(process.is_running() for process in found)
    assert first.wait(DEADLINE) == STOPPED


def test_orphan_is_stopped() -> None:
    with no_orphans():
        parent, (_, pid) = chain(1, "exits")
        orphan = psutil.Process(pid)
        parent.wait(DEADLINE)
        assert orphan.is_running()
    assert not orphan.is_running()


def test_processes_of_before_and_between_blocks_are_left_alone() -> None:
    earlier = [sleeper()]
    try:
        with no_orphans():
            pass
        earlier.append(sleeper())
        with no_orphans():
            inside = sleeper()
        assert inside.wait(DEADLINE) == STOPPED
        assert [process.poll() for process in earlier] == [None, None]
    finally:
        for process in earlier:
            process.kill()
            process.wait(DEADLINE)


def test_inner_block_stops_its_own_processes() -> None:
    with no_orphans():
        outer = sleeper()
        with no_orphans():
            inner = sleeper()
        assert inner.wait(DEADLINE) == STOPPED
        assert outer.poll() is None
    assert outer.wait(DEADLINE) == STOPPED


@pytest.mark.skipif(not IS_WINDOWS, reason="needs job objects")
def test_more_processes_than_there_is_room_for_at_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from process_terminate._tree import jobs  # noqa: PLC0415

    monkeypatch.setattr(jobs, "_ROOM", 1)
    with no_orphans():
        found = [sleeper() for _ in range(3)]
    assert [process.wait(DEADLINE) for process in found] == [STOPPED] * 3


def test_pool_of_the_block_is_stopped_and_its_caller_released() -> None:
    before = set(psutil.Process().children())
    with no_orphans():
        executor = ProcessPoolExecutor(1, CONTEXT)
        future = executor.submit(time.sleep, 600)
        found = set(psutil.Process().children()) - before
    with pytest.raises(BrokenProcessPool):
        future.result(timeout=DEADLINE)
    assert not any(process.is_running() for process in found)


def test_worker_of_an_earlier_pool_is_left_alone() -> None:
    with CONTEXT.Pool(1) as pool:
        before: Any = pool.apply(os.getpid)
        with no_orphans():
            inside = sleeper()
        assert inside.wait(DEADLINE) == STOPPED
        assert pool.apply(os.getpid) == before


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt, SystemExit])
def test_exception_of_the_block_is_raised_after_the_end_of_its_processes(
    error: type[BaseException],
) -> None:
    found = []

    def block() -> None:
        with no_orphans():
            found.append(sleeper())
            raise error

    with pytest.raises(error):
        block()
    assert found[0].wait(DEADLINE) == STOPPED


def test_block_of_asyncio_stops_what_it_started() -> None:
    async def main() -> asyncio.subprocess.Process:
        async with aio.no_orphans():
            return await asyncio.create_subprocess_exec(sys.executable, "-c", SLEEP)

    async def code() -> int:
        return await asyncio.wait_for((await main()).wait(), DEADLINE)

    assert asyncio.run(code()) == STOPPED


def test_ctrl_c_at_the_end_of_a_block_leaves_nothing_running(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It arrives while the pools of the block are told to start no more workers."""
    before = set(psutil.Process().children())  # Such as an earlier resource tracker.
    found: set[psutil.Process] = set()
    commands: list[Popen] = []
    original = pools._Executor.retire

    def retire(pool: Any) -> Any:
        found.update(set(psutil.Process().children()) - before)
        signal.raise_signal(signal.SIGINT)
        yield from original(pool)

    def block() -> None:
        with no_orphans():
            executor = ProcessPoolExecutor(1, CONTEXT)
            executor.submit(time.sleep, 600)
            commands.append(sleeper())

    monkeypatch.setattr(pools._Executor, "retire", retire)
    with pytest.raises(KeyboardInterrupt):
        block()
    assert commands[0].wait(DEADLINE) == KILLED  # At once, without a grace period.
    assert len(found) >= 2
    assert not any(process.is_running() for process in found)


def test_only_one_of_several_threads_that_begin_at_once_is_inside(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Otherwise one block would end what another thread starts."""
    all_pools = blocks._all_pools

    def slow() -> list[object]:
        time.sleep(0.02)
        return all_pools()

    monkeypatch.setattr(blocks, "_all_pools", slow)
    barrier = threading.Barrier(4)

    def enter() -> bool:
        with ExitStack() as stack:
            barrier.wait(DEADLINE)
            try:
                stack.enter_context(no_orphans())
            except RuntimeError:
                return False
            finally:
                barrier.wait(DEADLINE)
            return True

    with ThreadPoolExecutor(4) as threads:
        found = [threads.submit(enter) for _ in range(4)]
        assert sum(one.result(DEADLINE) for one in found) == 1
