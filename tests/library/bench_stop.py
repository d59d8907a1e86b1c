"""How long it takes to end processes, against the least that it can take.

Run by `make bench`. In each table the number in parentheses is the ratio to the
fastest of the table. What is compared is measured in one run, on one machine.
"""

import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
import workers
from pytest_benchmark.fixture import BenchmarkFixture

from evidence.studies import survivors
from process_terminate import _subreaper, stop, stop_all, stop_tree

IDLE = """
import os, sys, time
for _ in range(int(sys.argv[1])):
    if not os.fork():
        time.sleep(600)
        os._exit(0)
print(flush=True)
time.sleep(600)
"""


def run(benchmark: Any, *arguments: Any, **options: Any) -> None:
    """Measure; pytest-benchmark has no types for this."""
    benchmark.pedantic(*arguments, **options)


def worker(
    target: Callable[..., None] = workers.rest, start_method: str = "fork"
) -> Any:
    """A worker that is ready."""
    context: Any = multiprocessing.get_context(start_method)
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=target, args=(sender,))
    process.start()
    receiver.recv()
    return process


def terminate_and_join(process: Any) -> None:
    """What one does without this library."""
    process.terminate()
    process.join()


@pytest.mark.parametrize("start_method", ["fork", "spawn", "forkserver"])
@pytest.mark.parametrize("end", [terminate_and_join, stop])
def test_one_worker(
    benchmark: BenchmarkFixture, end: Callable[..., object], start_method: str
) -> None:
    """Goal: stop() takes at most 1.1 of the time of terminate() and join()."""
    benchmark.group = f"one worker, {start_method}"

    def setup() -> tuple[tuple[object], dict[str, object]]:
        return (worker(start_method=start_method),), {}

    run(benchmark, end, setup=setup, rounds=200)


def idle_tree(children: int) -> subprocess.Popen[bytes]:
    """A process with so many idle children, in a group of its own."""
    command = [sys.executable, "-c", IDLE, str(children)]
    root = subprocess.Popen(command, stdout=subprocess.PIPE, process_group=0)
    assert root.stdout
    root.stdout.readline()
    root.stdout.close()
    return root


def floor(root: subprocess.Popen[bytes]) -> None:
    """One signal to the group, and reap whoever dies: nothing can be faster."""
    os.killpg(root.pid, signal.SIGTERM)
    with suppress(ChildProcessError):
        while True:
            os.waitpid(-root.pid, 0)
    root.returncode = -signal.SIGTERM


def psutil_recipe(root: subprocess.Popen[bytes]) -> None:
    """The recipe of psutil's documentation: process 1 reaps the orphans, some time."""
    survivors.by_psutil_recipe(root)  # type: ignore[arg-type]
    root.returncode = -signal.SIGTERM  # psutil has reaped it behind its back.


def psutil_recipe_adopting(root: subprocess.Popen[bytes]) -> None:
    """The same, with help that the recipe does not ask for: orphans come to us."""
    psutil_recipe(root)


@pytest.mark.parametrize("children", [10, 100, 1000])
@pytest.mark.parametrize(
    "end", [floor, stop_tree, psutil_recipe, psutil_recipe_adopting]
)
def test_idle_tree(
    benchmark: BenchmarkFixture, children: int, end: Callable[..., object]
) -> None:
    """Goals: at 1,000 at most 1.3 of the floor; under half of the recipe's time.

    How long the recipe takes is up to process 1, which may reap at once, or in its
    own time, or never; where it reaps at once, the recipe is as fast as adopting.
    """
    benchmark.group = f"{children} idle children"
    rounds = {10: 60, 100: 30, 1000: 12}[children]
    if end is psutil_recipe:
        rounds = 6  # It may take seconds.

    def setup() -> tuple[tuple[object], dict[str, object]]:
        reap_all()
        # The floor reaps the orphans, and so has to adopt them; stop_tree() does.
        _subreaper.switch(end is not psutil_recipe)
        return (idle_tree(children),), {}

    run(benchmark, end, setup=setup, rounds=rounds)
    _subreaper.switch(True)
    reap_all()


def reap_all() -> None:
    """Reap the orphans that a way of ending has left to this process."""
    gc.collect()
    for child in psutil.Process().children():
        if child.status() == psutil.STATUS_ZOMBIE:
            with suppress(ChildProcessError):
                os.waitpid(child.pid, 0)


@pytest.mark.benchmark(group="100 deaf workers, grace=0.5")
def test_deaf_workers(benchmark: BenchmarkFixture) -> None:
    """Goal: at most 0.6 seconds."""

    def setup() -> tuple[tuple[object], dict[str, object]]:
        return ([worker(workers.ignore_sigterm) for _ in range(100)],), {"grace": 0.5}

    run(benchmark, stop_all, setup=setup, rounds=3)


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
    """Open file descriptors, and bytes of memory."""
    gc.collect()
    time.sleep(0)
    return len(
        list(Path("/proc/self/fd").iterdir())
    ), psutil.Process().memory_info().rss
