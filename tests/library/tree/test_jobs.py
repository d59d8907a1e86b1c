"""no_orphans() on Windows, where a job object has what was started in the block."""

import asyncio
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import psutil
import pytest
from support import DEADLINE

from process_terminate import aio, no_orphans
from process_terminate._process import pools

pytestmark = pytest.mark.skipif(sys.platform != "win32", reason="needs job objects")

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


def sleeper() -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", SLEEP])


def chain(levels: int, *options: str) -> list[psutil.Process]:
    """Start a chain of processes; return them when the last one runs."""
    command = [sys.executable, "-c", CHAIN, str(levels), CHAIN, *options]
    first = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert first.stdout
    with first.stdout as lines:
        return [psutil.Process(int(lines.readline())) for _ in range(levels + 1)]


def test_children_of_children_are_stopped() -> None:
    with no_orphans():
        found = chain(3)
        assert all(process.is_running() for process in found)
    assert not any(process.is_running() for process in found)


def test_orphan_is_stopped() -> None:
    with no_orphans():
        command = [sys.executable, "-c", CHAIN, "1", CHAIN, "exits"]
        parent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert parent.stdout
        with parent.stdout as lines:
            lines.readline()
            orphan = psutil.Process(int(lines.readline()))
        parent.wait(DEADLINE)
        assert orphan.is_running()
    assert not orphan.is_running()


def test_process_of_before_the_block_is_left_alone() -> None:
    earlier = sleeper()
    try:
        with no_orphans():
            inside = sleeper()
        assert inside.wait(DEADLINE) == 15
        assert earlier.poll() is None
    finally:
        earlier.kill()
        earlier.wait(DEADLINE)


def test_process_of_after_the_block_is_left_alone() -> None:
    with no_orphans():
        pass
    later = sleeper()
    try:
        with no_orphans():
            inside = sleeper()
        assert inside.wait(DEADLINE) == 15
        assert later.poll() is None
    finally:
        later.kill()
        later.wait(DEADLINE)


def test_inner_block_stops_its_own_processes() -> None:
    with no_orphans():
        outer = sleeper()
        with no_orphans():
            inner = sleeper()
        assert inner.wait(DEADLINE) == 15
        assert outer.poll() is None
    assert outer.wait(DEADLINE) == 15


def test_more_processes_than_there_is_room_for_at_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from process_terminate._tree import jobs  # noqa: PLC0415

    monkeypatch.setattr(jobs, "_ROOM", 1)
    with no_orphans():
        found = [sleeper() for _ in range(3)]
    assert [process.wait(DEADLINE) for process in found] == [15] * 3


def test_pool_of_the_block_is_stopped_and_its_caller_released() -> None:
    with no_orphans():
        executor = ProcessPoolExecutor(1)
        future = executor.submit(time.sleep, 600)
        found = psutil.Process().children()
    with pytest.raises(BrokenProcessPool):
        future.result(timeout=DEADLINE)
    assert not any(process.is_running() for process in found)


def test_worker_of_an_earlier_pool_is_left_alone() -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        before: Any = pool.apply(os.getpid)
        with no_orphans():
            inside = sleeper()
        assert inside.wait(DEADLINE) == 15
        assert pool.apply(os.getpid) == before


def test_exception_of_the_block_is_raised_after_the_end_of_its_processes() -> None:
    found = []

    def block() -> None:
        with no_orphans():
            found.append(sleeper())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        block()
    assert found[0].wait(DEADLINE) == 15


def test_block_of_asyncio_stops_what_it_started() -> None:
    async def main() -> asyncio.subprocess.Process:
        async with aio.no_orphans():
            return await asyncio.create_subprocess_exec(sys.executable, "-c", SLEEP)

    async def code() -> int:
        return await asyncio.wait_for((await main()).wait(), DEADLINE)

    assert asyncio.run(code()) == 15


def test_ctrl_c_at_the_end_of_a_block_leaves_nothing_running(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It arrives while the pools of the block are told to start no more workers."""
    found: list[psutil.Process] = []
    original = pools._Executor.retire

    def retire(pool: Any) -> Any:
        found.extend(psutil.Process().children())
        signal.raise_signal(signal.SIGINT)
        yield from original(pool)

    def block() -> None:
        with no_orphans():
            executor = ProcessPoolExecutor(1)
            executor.submit(time.sleep, 600)
            sleeper()

    monkeypatch.setattr(pools._Executor, "retire", retire)
    with pytest.raises(KeyboardInterrupt):
        block()
    assert len(found) == 2
    assert not any(process.is_running() for process in found)
