"""Count what is left of a hostile tree that a runner has run, for each runner.

A runner is a command that runs another one: `process-terminate run`, GNU timeout,
tini, dumb-init. Each runs each tree as a plain command, and as process 1 of a pid
namespace. Then it gets SIGTERM, or the command that it runs is killed.
"""

import subprocess
import sys
from collections import Counter
from itertools import product

import psutil
from msgspec import Struct

from evidence import UserError, installed, store
from evidence.studies import hostile_trees, study
from evidence.studies.hostile_trees import planted
from evidence.studies.study import Report, Study

PATH = study.FOLDER / "runners.json"
#: Seconds between SIGTERM and SIGKILL, where a runner has such an option.
GRACE = 0.1
#: Seconds in which a runner must end. Then it counts as running.
PATIENCE = 3.0
#: The options that stop most.
RUNNERS = {
    "process-terminate run": [
        *(sys.executable, "-m", "process_terminate", "run"),
        *("--grace", f"{GRACE:g}", "--"),
    ],
    "timeout": ["timeout", f"--kill-after={GRACE:g}", "3600"],
    "tini": ["tini", "-s", "-g", "--"],
    "dumb-init": ["dumb-init", "--"],
}
MODES = {
    "command": [],
    "process 1": ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"],
}
#: How a runner is run, and what happens to it. The kernel kills all processes of a
#: namespace with its process 1, so there the end of the command needs no runs.
CASES = (("command", "SIGTERM"), ("command", "ended"), ("process 1", "SIGTERM"))


class Outcome(Struct, frozen=True, omit_defaults=True):
    """What one run left, and whom it harmed; nothing and nobody by default."""

    survivors: int = 0
    """Processes of the tree that are alive."""
    harmed: int = 0
    """Processes of the neighbor that were killed."""
    names: int = 0
    """Names in /dev/shm."""
    running: bool = False
    """Whether the runner was still running 3 seconds after the event."""


class Counted(Struct):
    """What came of one tree."""

    hash: str
    """Of the programs that grew the tree."""
    outcomes: dict[str, list[tuple[int, Outcome]]]
    """For each runner, mode and event: how many runs there were of each outcome."""


class Runners(Study, kw_only=True):
    """What timeout, tini and others leave of a tree."""

    versions: dict[str, str]
    grace: float
    patience: float
    runs: int
    trees: dict[str, Counted]


def cell(runner: str, mode: str, event: str) -> str:
    """Return the key of the outcomes of a runner."""
    return f"{runner}, {mode}, {event}"


def run(tree_name: str, runner: str, mode: str, event: str) -> Outcome:
    """Let a runner run a tree, end it, and return what is left; no process is left."""
    with planted(tree_name) as (tree, neighbor):
        neighbor.start()
        root = tree.grow(neighbor, [*MODES[mode], *RUNNERS[runner]])
        try:
            running = not _ends(root, mode, event)
            if not running:
                tree.close_pipe()
            found = Outcome(
                survivors=tree.count_now() if running else tree.count_alive(),
                harmed=neighbor.count_harmed(),
                names=len(tree.names_left()),
                running=running,
            )
        finally:
            root.kill()
            root.wait(PATIENCE)
    neighbor.launcher.wait(PATIENCE)  # It is dead, and a child of this process.
    return found


def _ends(root: "subprocess.Popen[str]", mode: str, event: str) -> bool:
    """Let the event happen; return whether the runner ends."""
    if root.poll() is None:  # With a tree without a leader it has ended already.
        runner = psutil.Process(root.pid)
        if mode != "command":
            (runner,) = runner.children()
        if event == "SIGTERM":
            runner.terminate()
        else:  # The oldest child is the command; others are orphans.
            min(runner.children(), key=psutil.Process.create_time).kill()
    try:
        root.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        return False
    return True


def outdated(data: Runners) -> list[str]:
    """Return the trees whose results are of another version."""
    hashes = {tree: counted.hash for tree, counted in data.trees.items()}
    return hostile_trees.outdated(hashes)


def load() -> Runners:
    """Return what was recorded."""
    return store.read(PATH, Runners)


def record(runs: int, report: Report, names: list[str]) -> None:
    """Count so many times for each tree, one after the other, and keep other results.

    Args:
        runs: Of each cell.
        report: Is told what came of a cell.
        names: The trees; all if there are no names.
    """
    data = Runners(
        **study.circumstances(),
        versions={runner: _version(command) for runner, command in RUNNERS.items()},
        grace=GRACE,
        patience=PATIENCE,
        runs=runs,
        trees=load().trees if PATH.exists() else {},
    )
    for tree in names or hostile_trees.names():
        counted = Counted(hostile_trees.source_hash(tree), {})
        data.trees[tree] = counted
        for runner, (mode, event) in product(RUNNERS, CASES):
            found = Counter(run(tree, runner, mode, event) for _ in range(runs))
            key = cell(runner, mode, event)
            counted.outcomes[key] = [(n, outcome) for outcome, n in found.most_common()]
            report(f"{tree}, {key}: {counted.outcomes[key]}")
        data.trees = {
            name: data.trees[name]
            for name in hostile_trees.names()
            if name in data.trees
        }
        store.write(PATH, data, depth=4)


def _version(command: list[str]) -> str:
    """Return what a runner says of its version; "" for the one of this project."""
    if command[0] == sys.executable:
        return ""
    if reason := installed.why_missing(command[:1]):
        raise UserError(reason)
    said = installed.run([command[0], "--version"])
    return (said.stdout or said.stderr).splitlines()[0]
