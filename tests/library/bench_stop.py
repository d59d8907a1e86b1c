"""How long it takes to stop processes, against the least that it can take.

Run by `make bench`. In each table the number in parentheses is the ratio to the
fastest of the table. What is compared is measured in one run, on one machine.
"""

import asyncio
import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import psutil
import pytest
import workers
from pytest_benchmark.fixture import BenchmarkFixture  # type: ignore[import-not-found,unused-ignore]
from support import METHODS

from process_terminate import aio, no_orphans, stop, stop_all, stop_tree
from process_terminate._tree import subreaper

IDLE = """
import os, sys, time
for _ in range(int(sys.argv[1])):
    if not os.fork():
        time.sleep(600)
        os._exit(0)
print(flush=True)
time.sleep(600)
"""

Setup = tuple[tuple[object, ...], dict[str, object]]


def run(benchmark: Any, *arguments: Any, **options: Any) -> None:
    """Measure; pytest-benchmark has no types for this."""
    benchmark.pedantic(*arguments, **options)


@pytest.fixture(autouse=True)
def _adopting() -> Iterator[None]:
    """Adopt orphans, as the floor has to reap them."""
    before = subreaper.is_set()
    subreaper.switch(True)
    yield
    subreaper.switch(before)


def worker(task: Callable[..., None] = workers.rest, method: str = "fork") -> Any:
    """Return a worker that is ready."""
    context: Any = multiprocessing.get_context(method)
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=task, args=(sender,))
    process.start()
    receiver.recv()
    return process


def terminate_and_join(process: Any) -> None:
    """Do what one does without this library."""
    process.terminate()
    process.join()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("end", [terminate_and_join, stop])
def test_one_worker(
    benchmark: BenchmarkFixture, end: Callable[..., object], method: str
) -> None:
    """Goal: at most 1.2 of terminate() and join() under fork, 1.1 under the others.

    Not reached under fork: 1.5 to 1.6 on a busy machine; 1.1 under the others. After a
    fork the first change of each memory page is a page fault. There are 200 in stop(),
    about two for each function that it calls, and 22 in terminate() and join().
    """
    benchmark.group = f"one worker, {method}"

    def setup() -> Setup:
        return (worker(method=method),), {}

    run(benchmark, end, setup=setup, rounds=200)


def idle_tree(children: int) -> "subprocess.Popen[bytes]":
    """Return a process with so many idle children, in a group of its own."""
    command = [sys.executable, "-c", IDLE, str(children)]
    root = subprocess.Popen(command, stdout=subprocess.PIPE, process_group=0)
    assert root.stdout
    with root.stdout as stdout:
        stdout.readline()
    return root


def floor(root: "subprocess.Popen[bytes]") -> None:
    """Send one signal to the group, and reap what dies: nothing can be faster."""
    os.killpg(root.pid, signal.SIGTERM)
    with suppress(ChildProcessError):
        while True:
            os.waitpid(-root.pid, 0)
    root.returncode = -signal.SIGTERM


@pytest.mark.parametrize("children", [10, 100, 1000])
@pytest.mark.parametrize("end", [floor, stop_tree])
def test_idle_tree(
    benchmark: BenchmarkFixture, children: int, end: Callable[..., object]
) -> None:
    """Goal: at 1,000 children at most 1.2 of the floor.

    Not reached: 1.5. To signal no stranger, it opens and reads each process first,
    which takes 30 microseconds each, and it reaps each of them in 10.
    """
    benchmark.group = f"{children} idle children"

    def setup() -> Setup:
        return (idle_tree(children),), {}

    run(benchmark, end, setup=setup, rounds={10: 60, 100: 30, 1000: 12}[children])


def stop_side_by_side(processes: list[Any]) -> None:
    """Stop each process by a task of its own."""

    async def main() -> None:
        await asyncio.gather(*(aio.stop(process) for process in processes))

    asyncio.run(main())


@pytest.mark.parametrize("end", [stop_all, stop_side_by_side])
def test_processes_side_by_side(
    benchmark: BenchmarkFixture, end: Callable[..., object]
) -> None:
    """Goal: aio.stop() of 100 processes takes at most 1.2 of stop_all().

    Not reached: 1.6 to 1.9. A loop that gives each process a task, which only sends
    the signal, watches a pidfd and reaps, takes 1.3 already.
    """
    benchmark.group = "100 processes"

    def setup() -> Setup:
        return ([subprocess.Popen(["sleep", "60"]) for _ in range(100)],), {}

    run(benchmark, end, setup=setup, rounds=10)


@pytest.mark.benchmark(group="100 workers that ignore SIGTERM, grace=0.5")
def test_ignoring_workers(benchmark: BenchmarkFixture) -> None:
    """Goal: at most 0.6 seconds."""

    def setup() -> Setup:
        return ([worker(workers.ignore_sigterm) for _ in range(100)],), {"grace": 0.5}

    run(benchmark, stop_all, setup=setup, rounds=3)


@pytest.mark.parametrize("objects", [0, 3_000_000])
def test_empty_block(benchmark: BenchmarkFixture, objects: int) -> None:
    """Goal: at most 2 milliseconds, with many objects in the heap too."""
    benchmark.group = "no_orphans() around nothing"
    heap = [[] for _ in range(objects)]  # type: ignore[var-annotated]

    def block() -> None:
        with no_orphans():
            pass

    run(benchmark, block, rounds=50)
    assert len(heap) == objects


def test_nothing_grows_over_10_000_stops() -> None:
    """Neither file descriptors nor memory."""
    before = None
    for number in range(10_000):
        stop(subprocess.Popen(["sleep", "60"]))
        if number == 1000:
            before = usage()
    after = usage()
    assert before is not None
    sys.stderr.write(f"\nafter 1,000: {before}, after 10,000: {after}\n")
    assert after[0] == before[0]
    assert after[1] < before[1] * 1.02


def usage() -> tuple[int, int]:
    """Return the number of open file descriptors, and of bytes of memory."""
    gc.collect()
    time.sleep(0)
    process = psutil.Process()
    return process.num_fds(), process.memory_info().rss
