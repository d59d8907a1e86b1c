"""Counts who survives the end of a hostile tree, for each way to end it."""

import ast
import hashlib
import json
import multiprocessing
import os
import platform
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import psutil

from evidence.paths import DATA, ROOT
from process_terminate import no_orphans, stop_tree
from process_terminate._census import census
from process_terminate._handle import Handle, hold

TREES = ROOT / "tests" / "trees"
#: Seconds between SIGTERM and SIGKILL: some of the trees never take the hint.
GRACE = 0.1
#: What a tree is marked with: whoever inherits it belongs to the tree.
_MARK = "HOSTILE_TREE"

#: Seconds that a killed process may take to be gone, where nobody waits for it.
_DYING = 1.0
#: Looks before one says that nobody is left: a chain is often between two links.
_LOOKS = 30
_FEW_LOOKS = 3
#: Rounds of killing in which somebody was seen, until it is hopeless.
_ROUNDS = 1000

End = Callable[[subprocess.Popen[str]], object]


def by_killpg(root: subprocess.Popen[str]) -> None:
    """Signal the process group that the root leads."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(root.pid, number)
        with suppress(subprocess.TimeoutExpired):
            root.wait(GRACE)


def by_psutil_recipe(root: subprocess.Popen[str]) -> None:
    """Do what psutil's documentation recommends for a tree of processes."""
    try:
        parent = psutil.Process(root.pid)
        family = [*parent.children(recursive=True), parent]
    except psutil.NoSuchProcess:
        return
    for process in family:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs(family, timeout=GRACE)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=5)


def by_stop_tree(root: subprocess.Popen[str]) -> None:
    """Let stop_tree() do it."""
    stop_tree(root, grace=GRACE)


def trees() -> list[str]:
    """The names of the hostile trees."""
    return sorted(path.stem for path in TREES.glob("*.py") if path.stem != "grow")


def survivors_of(tree: str, end: End) -> int:
    """Grow a tree, end it, and count who is alive; nobody is, afterwards."""
    with _marked(_looks(tree)) as mark:
        end(_grown(tree, mark))
        return _count_alive(mark, _looks(tree))


def survivors_of_no_orphans(tree: str) -> int:
    """Grow a tree inside a block of no_orphans(), and count who is alive after it."""
    with _marked(_looks(tree)) as mark:
        with no_orphans(grace=GRACE):
            root = _grown(tree, mark)
        if root.returncode is None:
            raise RuntimeError("no_orphans() has not reaped through the object")
        return _count_alive(mark, _looks(tree))


def _looks(tree: str) -> int:
    return _LOOKS if tree == "chain" else _FEW_LOOKS


def _grown(tree: str, mark: str) -> subprocess.Popen[str]:
    """Start a tree, and wait until it is complete."""
    root = subprocess.Popen(
        [sys.executable, TREES / f"{tree}.py"],
        env={**os.environ, _MARK: mark},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with root.stdout or sys.stdin as stdout:
        if stdout.readline() != "ready\n":
            raise RuntimeError(f"the tree {tree} did not grow")
    if tree == "headless":  # It is complete when its leader is dead, and a zombie.
        os.waitid(os.P_PID, root.pid, os.WEXITED | os.WNOWAIT)
    return root


@contextmanager
def _marked(looks: int) -> Iterator[str]:
    """Make a mark; kill all that bear it at the end."""
    mark = str(uuid.uuid4())
    try:
        yield mark
    finally:
        _kill_all(mark, looks)


def _kill_all(mark: str, looks: int) -> None:
    """Kill those that bear the mark on sight, until there are none.

    It gives up after so many rounds, and not after so many seconds: on a busy
    machine a round may take one, and a chain that is left would fork for ever.
    """
    quiet = rounds = 0
    while quiet < looks:
        if rounds > _ROUNDS:
            raise RuntimeError(f"cannot end what bears {_MARK}={mark}")
        if _look(mark, _kill_group_of):
            quiet, rounds = 0, rounds + 1
        else:  # At other moments a chain is in another place.
            quiet += 1
            time.sleep(0.01)
    for child in psutil.Process().children():
        if child.status() == psutil.STATUS_ZOMBIE:
            with suppress(ChildProcessError):
                os.waitpid(child.pid, os.WNOHANG)


def _kill_group_of(handle: Handle) -> None:
    """Kill a process with its whole group: no fork slips past a signal to a group.

    A chain that is killed link by link has forked before the kill comes. Each
    tree has groups of its own, as its root leads a session.
    """
    group = os.getpgid(handle.pid)
    if group != os.getpgrp():
        os.killpg(group, signal.SIGKILL)
    handle.tell("kill")


def _count_alive(mark: str, looks: int) -> int:
    """How many bear the mark, however they hide.

    The most that one look has found: a chain that forks and exits is often
    between two processes when one looks.
    """
    count = max(_look(mark, lambda _: None) for _ in range(looks))
    if count:  # Some may be dying.
        time.sleep(_DYING)
        count = max(_look(mark, lambda _: None) for _ in range(looks))
    return count


def _look(mark: str, act: Callable[[Handle], None]) -> int:
    """Act on each living process that bears the mark; how many there are.

    Who is gone before it can be held counts, too: a chain may go on elsewhere.
    """
    found = 0
    for entry in census():
        with suppress(OSError):
            if _bears(entry.pid, mark):
                found += 1
                with hold(entry.pid) as handle:
                    if _bears(entry.pid, mark):
                        act(handle)
    return found


def _bears(pid: int, mark: str) -> bool:
    """Whether a process, or who it descends from, was started with the mark."""
    environment = Path(f"/proc/{pid}/environ").read_bytes()
    return f"{_MARK}={mark}".encode() in environment.split(b"\0")


#: The ways to end a tree, as the table names them; the first two are this library's.
WAYS: dict[str, Callable[[str], int]] = {
    "stop_tree()": lambda tree: survivors_of(tree, by_stop_tree),
    "no_orphans()": survivors_of_no_orphans,
    "killpg": lambda tree: survivors_of(tree, by_killpg),
    "psutil's recipe": lambda tree: survivors_of(tree, by_psutil_recipe),
}
#: Trees that are orphans in part, or whole, before anybody begins to end them.
OUT_OF_REACH = {"chain", "daemon", "headless"}
RECORD = DATA / "studies" / "survivors.json"
PAGE = ROOT / "docs" / "evidence" / "survivors.md"


def record(runs: int, compare: int, report: Callable[[str], None]) -> None:
    """End each tree in each way, so many times, and write down who survived."""
    counts: dict[str, dict[str, dict[str, int]]] = {tree: {} for tree in trees()}
    cells = [
        (tree, way, runs if is_promised(tree, way) else compare)
        for tree in trees()
        for way in WAYS
    ]
    # Each cell in a process of its own, whose orphans come to nobody else.
    context = multiprocessing.get_context("spawn")
    with context.Pool(maxtasksperchild=1) as pool:
        for tree, way, found in pool.imap(_count_cell, cells):
            counts[tree][way] = found
            report(f"{tree}, {way}: {found}")
    data = {
        "python": platform.python_version(),
        "psutil": psutil.__version__,
        "kernel": f"{platform.system()} {platform.release()}",
        "date": datetime.now(UTC).date().isoformat(),
        "grace": GRACE,
        "runs": runs,
        "compare": compare,
        "sources": {tree: source_hash(tree) for tree in trees()},
        "survivors": counts,
    }
    RECORD.write_text(json.dumps(data, indent=1) + "\n", "utf-8")


def _count_cell(cell: tuple[str, str, int]) -> tuple[str, str, dict[str, int]]:
    """How many survived, and in how many of the runs."""
    tree, way, times = cell
    found = Counter(WAYS[way](tree) for _ in range(times))
    return tree, way, {str(number): found[number] for number in sorted(found)}


def is_promised(tree: str, way: str) -> bool:
    """Whether this library promises that nobody survives."""
    within_reach = tree not in OUT_OF_REACH
    return way == "no_orphans()" or (way == "stop_tree()" and within_reach)


def source_hash(tree: str) -> str:
    """What the program of a tree was when it was measured."""
    sources = [TREES / f"{tree}.py", TREES / "grow.py"]
    return hashlib.sha256(b"".join(p.read_bytes() for p in sources)).hexdigest()


def render() -> str:
    """The page that shows the record."""
    data = json.loads(RECORD.read_text("utf-8"))
    rows = [
        f"| {_describe(tree)} | "
        + " | ".join(_cell(tree, way, counts[way]) for way in WAYS)
        + " |"
        for tree, counts in data["survivors"].items()
    ]
    return _TEMPLATE.format(
        **data | {"survivors": None},
        ways=" | ".join(f"`{way}`" if way.endswith("()") else way for way in WAYS),
        rules="|".join("---" for _ in WAYS),
        rows="\n".join(rows),
        seconds=data["grace"],
    )


def _describe(tree: str) -> str:
    source = (TREES / f"{tree}.py").read_text("utf-8")
    return f"**{tree}**: {ast.get_docstring(ast.parse(source))}"


def _cell(tree: str, way: str, counts: dict[str, int]) -> str:
    """How many survived, and in how many runs."""
    if list(counts) == ["0"]:
        return "**0**" if is_promised(tree, way) else "0"
    return ", ".join(f"{number} ({times} times)" for number, times in counts.items())


_TEMPLATE = """\
---
title: Who survives
description: Thirteen hostile process trees, each ended in four ways, and who is alive afterwards.
---

# Who survives the end of a tree?

Thirteen hostile trees of processes, each ended in four ways, and how many processes of the tree were alive afterwards.
Where this library promises that nobody survives, the cell is in bold, and stands for {runs} runs; the others stand for {compare}.
A plain 0 means: none, in any run; else the number of survivors, and in how many of the runs.

| The tree | {ways} |
|---|{rules}|
{rows}

The chain and the daemon, and the children of a leader that is dead, are orphans before anybody begins to end the tree: a walk from parent to child cannot find them, and `stop_tree()` does not promise to.
It promises 0 in all other rows, and `no_orphans()` in all rows.

`killpg` sends `SIGTERM` and then `SIGKILL` to the process group that the root leads.
psutil's recipe takes a list of the descendants, sends `SIGTERM` to each, waits, and sends `SIGKILL` to those that are alive, as [its documentation](https://psutil.readthedocs.io/latest/recipes.html) shows it.
All wait {seconds} seconds between the two signals.
Survivors are found by a mark in their environment, not by parenthood, and killed after they are counted.

Measured on {date} with CPython {python} and psutil {psutil} on {kernel}; [the record](survivors.json).
Repeat it with `python -m evidence survivors`; the trees are in `tests/trees/`.
See [`stop_tree()`](../reference/stop_tree.md) and [`no_orphans()`](../reference/no_orphans.md).
"""
