"""Count the processes that survive when a hostile tree is stopped, for each way to stop it."""

import os
import signal
import subprocess
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import psutil
from msgspec import Struct

from evidence import store
from evidence.measure import workers
from evidence.studies import hostile_trees, study
from evidence.studies.hostile_trees import marked
from evidence.studies.study import Report, Study
from process_terminate import no_orphans, stop_tree

PATH = study.FOLDER / "survivors.json"
#: Seconds between SIGTERM and SIGKILL; some of the trees ignore SIGTERM.
GRACE = 0.1

Stop = Callable[[subprocess.Popen[str]], object]


def by_killpg(root: subprocess.Popen[str]) -> None:
    """Signal the process group that the root leads."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(root.pid, number)
        with suppress(subprocess.TimeoutExpired):
            root.wait(GRACE)


def by_psutil_recipe(root: subprocess.Popen[str]) -> None:
    """Do what psutil's documentation recommends for a process tree."""
    try:
        parent = psutil.Process(root.pid)
        tree = [*parent.children(recursive=True), parent]
    except psutil.NoSuchProcess:
        return
    for process in tree:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs(tree, timeout=GRACE)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=5)


def by_stop_tree(root: subprocess.Popen[str]) -> None:
    """Call stop_tree()."""
    stop_tree(root, grace=GRACE)


def survivors_of(tree: str, stop: Stop) -> int:
    """Grow a tree, stop it, and return how many processes survived; none is left."""
    with marked(tree) as growing:
        stop(growing.grow())
        return growing.count_alive()


def survivors_of_no_orphans(tree: str) -> int:
    """Grow a tree inside no_orphans(), and return how many survived the block."""
    with marked(tree) as growing:
        with no_orphans(grace=GRACE):
            root = growing.grow()
        if root.returncode is None:
            raise RuntimeError("no_orphans() has not reaped through the object")
        return growing.count_alive()


#: The ways to stop a tree, as the table names them; the first two are this library's.
WAYS: dict[str, Callable[[str], int]] = {
    "stop_tree()": lambda tree: survivors_of(tree, by_stop_tree),
    "no_orphans()": survivors_of_no_orphans,
    "killpg": lambda tree: survivors_of(tree, by_killpg),
    "psutil's recipe": lambda tree: survivors_of(tree, by_psutil_recipe),
}
#: Trees that are orphans, in part or whole, before anything begins to stop them.
OUT_OF_REACH = {"chain", "daemon", "headless"}

trees = hostile_trees.names


class Counted(Struct):
    """What survived of one tree."""

    hash: str
    """Of the programs that grew the tree."""
    survivors: dict[str, dict[int, int]]
    """For each way: how many runs there were by the number of survivors."""


class Survivors(Study, kw_only=True):
    """What survived of each tree."""

    psutil: str
    grace: float
    runs: int
    """Runs where this library promises that no process survives."""
    compare: int
    """Runs of the other ways."""
    trees: dict[str, Counted]


def is_promised(tree: str, way: str) -> bool:
    """Return whether this library promises that no process survives."""
    return way == "no_orphans()" or (way == "stop_tree()" and tree not in OUT_OF_REACH)


def why_outdated(data: Survivors) -> str | None:
    """Return why the results are not of the trees as they are now; None if they are."""
    hashes = {tree: hostile_trees.source_hash(tree) for tree in trees()}
    measured = {tree: counted.hash for tree, counted in data.trees.items()}
    changed = sorted(dict(hashes.items() ^ measured.items()))
    if not changed:
        return None
    return (
        f"other versions of these trees were measured: {', '.join(changed)}; "
        "run: python -m evidence survivors"
    )


def load(path: Path = PATH) -> Survivors:
    """Return what was recorded."""
    return store.read(path, Survivors)


def save(data: Survivors, path: Path = PATH) -> None:
    """Write what was recorded, one tree a line."""
    store.write(path, data, depth=2)


def record(
    runs: int,
    compare: int,
    report: Report,
    names: list[str] | None = None,
    path: Path = PATH,
) -> None:
    """Stop each tree in each way, so many times, and write down what survived."""
    names = names or trees()
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
        data.trees[tree].survivors[way] = found[tree, way, times]
    save(data, path)


def _count(cell: tuple[str, str, int]) -> dict[int, int]:
    """Return how many runs there were by the number of survivors."""
    tree, way, times = cell
    found = Counter(WAYS[way](tree) for _ in range(times))
    return dict(sorted(found.items()))
