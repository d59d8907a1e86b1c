"""Hostile trees of processes, which are known by a mark in their environment."""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from process_terminate import no_orphans

TREES = Path(__file__).parents[1] / "trees"
#: Trees that are orphans, in part or whole, before anything begins to stop them.
OUT_OF_REACH = {"chain", "daemon", "headless"}
_MARK = "HOSTILE_TREE"

Root = subprocess.Popen[str]


def trees() -> list[str]:
    """Return the names of the trees that a process of pytest can stop.

    The tree `interrupts` sends Ctrl-C to the process that stops it.
    """
    names = {path.stem for path in TREES.glob("*.py")}
    return sorted(names - {"grow", "interrupts"})


def survivors_of(tree: str, stop: Callable[[Root], object]) -> int:
    """Grow a tree, stop it, and return how many processes of it survived."""
    with _marked(_looks(tree)) as mark:
        stop(_grown(tree, mark))
        return _count(mark, _looks(tree))


def survivors_of_no_orphans(tree: str) -> int:
    """Grow a tree inside no_orphans(), and return how many survived the block."""
    with _marked(_looks(tree)) as mark:
        with no_orphans(grace=0.1):
            root = _grown(tree, mark)
        assert root.returncode is not None
        return _count(mark, _looks(tree))


def _looks(tree: str) -> int:
    """Return how often to look: a chain is often between two processes."""
    return 10 if tree == "chain" else 2


def _grown(tree: str, mark: str) -> Root:
    """Start a tree, and wait until it is complete."""
    root = subprocess.Popen(
        [sys.executable, TREES / f"{tree}.py"],
        env={**os.environ, _MARK: mark},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with root.stdout or sys.stdin as stdout:
        assert stdout.readline() == "ready\n"
    if tree == "headless":  # It is complete when its leader is dead, and a zombie.
        os.waitid(os.P_PID, root.pid, os.WEXITED | os.WNOWAIT)
    return root


@contextmanager
def _marked(looks: int) -> Iterator[str]:
    """Make a mark; kill all processes that have it at the end."""
    mark = str(uuid.uuid4())
    try:
        yield mark
    finally:
        quiet = 0
        while quiet < looks:
            for pid in _find(mark):
                with suppress(OSError):  # A group cannot escape by a fork.
                    os.killpg(os.getpgid(pid), signal.SIGKILL)
                quiet = 0
            quiet += 1
            time.sleep(0.005)


def _count(mark: str, looks: int) -> int:
    """Return how many processes have the mark."""
    count = max(len(_find(mark)) for _ in range(looks))
    if count:  # Some may be dying.
        time.sleep(1)
        count = max(len(_find(mark)) for _ in range(looks))
    return count


def _find(mark: str) -> list[int]:
    """Return the pids of the living processes that have the mark."""
    return [pid for pid in _pids() if _has(pid, mark)]


def _pids() -> Iterator[int]:
    return (int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal())


def _has(pid: int, mark: str) -> bool:
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False
    return f"{_MARK}={mark}".encode() in environment.split(b"\0")
