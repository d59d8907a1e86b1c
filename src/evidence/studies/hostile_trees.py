"""Start the hostile trees of `tests/trees`, count what is alive of one, kill the rest.

This is the independent witness of the library: it uses nothing of it. Each process
of a tree inherits a mark in its environment, and is found by that mark.
"""

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from evidence.measure import leftovers
from evidence.paths import ROOT
from evidence.studies import study

FOLDER = ROOT / "tests" / "trees"
#: Builds the trees; not a tree itself.
_BUILDER = FOLDER / "grow.py"
_VARIABLE = "HOSTILE_TREE"
#: Seconds that a killed process may take to exit, because no process waits for it.
_DYING = 1.0
#: Looks for processes that exit before they can be opened.
_TRIES = 100


def names() -> list[str]:
    """Return the names of the trees."""
    return sorted(path.stem for path in FOLDER.glob("*.py") if path != _BUILDER)


def path_of(name: str) -> Path:
    """Return the program that grows a tree."""
    return FOLDER / f"{name}.py"


def source_hash(name: str) -> str:
    """Return a hash of what runs when a tree grows."""
    return study.hash_of([path_of(name), _BUILDER])


@dataclass(frozen=True)
class Tree:
    """One growth of a hostile tree, known by its mark."""

    name: str
    mark: str

    def grow(self) -> subprocess.Popen[str]:
        """Start the tree, wait until it is complete, and return its root."""
        root = subprocess.Popen(
            [sys.executable, path_of(self.name)],
            env={**os.environ, _VARIABLE: self.mark},
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        with root.stdout or sys.stdin as stdout:
            if stdout.readline() != "ready\n":
                raise RuntimeError(f"the tree {self.name} did not grow")
        if self.name == "headless":  # Complete when its leader is a zombie.
            os.waitid(os.P_PID, root.pid, os.WEXITED | os.WNOWAIT)
        return root

    def count_alive(self) -> int:
        """Return how many processes of the tree are alive.

        Take the largest number of several looks, because a chain that forks and
        exits is often between two processes. Processes that are exiting do not count.
        """
        count = self._largest_look()
        if count:
            time.sleep(_DYING)
            count = self._largest_look()
        return count

    def kill(self) -> None:
        """Kill and reap every process of the tree."""
        # With its group each, because no fork escapes a signal to a group. The group
        # is never ours, because the root of a tree leads a session.
        leftovers.kill_all(self.processes, looks=self._looks, groups=True)
        for child in psutil.Process().children():
            with suppress(psutil.NoSuchProcess, ChildProcessError):
                if child.status() == psutil.STATUS_ZOMBIE:
                    os.waitpid(child.pid, os.WNOHANG)

    def processes(self) -> Iterator[psutil.Process]:
        """Yield each process of the tree; look again while one exits too fast."""
        for _ in range(_TRIES):
            is_complete = True
            for pid in self._pids():
                try:
                    yield psutil.Process(pid)
                except psutil.NoSuchProcess:
                    is_complete = False
            if is_complete:
                return

    def _pids(self) -> Iterator[int]:
        """Yield the pid of each process that has the mark."""
        mark = f"{_VARIABLE}={self.mark}".encode()
        # From the newest on: a link of a chain is gone a millisecond later.
        for pid in sorted(psutil.pids(), reverse=True):
            with suppress(OSError):
                if mark in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                    yield pid

    @property
    def _looks(self) -> int:
        return 30 if self.name == "chain" else 3

    def _largest_look(self) -> int:
        return max(len(list(self._pids())) for _ in range(self._looks))


@contextmanager
def marked(name: str) -> Iterator[Tree]:
    """Yield a tree with a new mark; kill all that is left of it after the block."""
    tree = Tree(name, str(uuid.uuid4()))
    try:
        yield tree
    finally:
        tree.kill()
