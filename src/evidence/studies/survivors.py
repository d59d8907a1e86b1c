"""Count the processes that survive when a hostile tree is stopped, for each way to stop it.

Each run has a caller of its own, a fork of this process: it starts the tree beside an
innocent neighbor, and stops the tree. This process is the witness.
"""

import os
import signal
import time
from collections import Counter
from contextlib import closing

import psutil
from msgspec import Struct

from evidence import store
from evidence.measure import workers
from evidence.studies import hostile_trees, study
from evidence.studies.hostile_trees import Neighbor, Tree, planted
from evidence.studies.study import Report, Study
from evidence.studies.ways import GRACE, PROMPT, WAYS, Caller, exit_after

PATH = study.FOLDER / "survivors.json"
#: Trees that interrupt the call by Ctrl-C.
INTERRUPTING = {"interrupts"}
#: Trees that are orphans, in part or whole, before anything begins to stop them.
OUT_OF_REACH = {"chain", "daemon", "headless"}
#: Seconds for one run, on a busy machine.
_DEADLINE = 180.0


class Outcome(Struct, frozen=True, omit_defaults=True):
    """What one run left, and whom it harmed; nothing and nobody by default."""

    survivors: int = 0
    """Processes of the tree that are alive, also those in state T."""
    harmed: int = 0
    """Processes of the neighbor that were killed."""
    names: int = 0
    """Names in /dev/shm."""
    late: bool = False
    """Whether a tree that responds to SIGTERM took the whole grace period."""
    error: str = ""
    """The exception that the call raised, except an interrupt that the tree sent."""


def run(tree_name: str, way: str) -> Outcome:
    """Grow a tree, stop it, and return what came of it; no process is left."""
    with planted(tree_name) as (tree, neighbor):
        began, ended, error = _call(tree, neighbor, way)
        return Outcome(
            survivors=tree.count_alive(),
            harmed=neighbor.count_harmed(),
            names=len(tree.names_left()),
            late=tree_name in PROMPT and ended - began >= PROMPT[tree_name],
            error=error,
        )


def _call(tree: Tree, neighbor: Neighbor, way: str) -> tuple[float, float, str]:
    """Have a new process grow a tree and stop it; return from when to when, and errors."""
    read, write = os.pipe()
    with os.fdopen(read), os.fdopen(write, "w") as pipe:
        pid = os.fork()
        if pid == 0:
            exit_after(lambda: _report(Caller(tree, neighbor, write), way))
        caller, hang = psutil.Process(pid), ""
        try:
            caller.wait(_DEADLINE)
        except psutil.TimeoutExpired:
            hang = f"no end within {_DEADLINE:g} s"
            caller.kill()
            caller.wait(_DEADLINE)
        ended = time.monotonic()
        tree.close_pipe()
        pipe.close()
        began, error = os.read(read, 4096).decode().split("\n", 1)
    return float(began), ended, hang or error


def _report(caller: Caller, way: str) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        caller.neighbor.start()
        WAYS[way](caller)
    except KeyboardInterrupt:
        if caller.tree.name not in INTERRUPTING:
            raise
    except Exception as error:
        os.write(caller.pipe, type(error).__name__.encode())
        raise


class Counted(Struct):
    """What came of one tree."""

    hash: str
    """Of the programs that grew the tree."""
    outcomes: dict[str, list[tuple[int, Outcome]]]
    """For each way: how many runs there were of each outcome."""


class Survivors(Study, kw_only=True):
    """Which processes survive which way to stop a tree."""

    psutil: str
    grace: float
    runs: int
    """Runs where this library promises that no process survives."""
    compare: int
    """Runs of the other ways."""
    trees: dict[str, Counted]


def is_promised(tree: str, way: str) -> bool:
    """Return whether this library promises that no process survives."""
    if way.startswith("stop_tree()"):
        return tree not in OUT_OF_REACH
    return way == "no_orphans()"


def outdated(data: Survivors) -> list[str]:
    """Return the trees whose results are of another version."""
    hashes = {tree: counted.hash for tree, counted in data.trees.items()}
    return hostile_trees.outdated(hashes)


def load() -> Survivors:
    """Return what was recorded."""
    return store.read(PATH, Survivors)


def record(runs: int, compare: int, report: Report) -> None:
    """Stop each tree in each way, so many times, and write down what survived."""
    names = hostile_trees.names()
    cells = [
        (tree, way, runs if is_promised(tree, way) else compare)
        for tree in names
        for way in WAYS
    ]
    data = Survivors(
        **study.circumstances(),
        psutil=psutil.__version__,
        grace=GRACE,
        runs=runs,
        compare=compare,
        trees={tree: Counted(hostile_trees.source_hash(tree), {}) for tree in names},
    )
    found = {}
    with closing(workers.run(_count, cells, os.cpu_count() or 1)) as finished:
        for cell, counts in finished:
            found[cell] = counts
            report(f"{cell[0]}, {cell[1]}: {counts}")
    for tree, way, times in cells:
        data.trees[tree].outcomes[way] = found[tree, way, times]
    store.write(PATH, data, depth=4)


def _count(cell: tuple[str, str, int]) -> list[tuple[int, Outcome]]:
    """Return how many runs there were of each outcome, the most frequent first."""
    tree, way, times = cell
    found = Counter(run(tree, way) for _ in range(times))
    return [(count, outcome) for outcome, count in found.most_common()]
