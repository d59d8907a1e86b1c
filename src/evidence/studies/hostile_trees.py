"""Start the hostile trees of `tests/trees`, count what is alive of one, kill the rest.

This is the independent witness of the library: it uses nothing of it. Each process
of a tree inherits a mark in its environment, and is found by that mark.
"""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from evidence.paths import ROOT
from evidence.studies.study import hash_of

FOLDER = ROOT / "tests" / "trees"
#: Builds the trees; not a tree itself.
_BUILDER = FOLDER / "grow.py"
_VARIABLE = "HOSTILE_TREE"
#: Seconds that a killed process may take to exit, because no process waits for it.
_DYING = 1.0
#: Rounds of killing in which a process was seen, before the witness gives up.
_ROUNDS = 1000


def names() -> list[str]:
    """Return the names of the trees."""
    return sorted(path.stem for path in FOLDER.glob("*.py") if path != _BUILDER)


def path_of(name: str) -> Path:
    """Return the program that grows a tree."""
    return FOLDER / f"{name}.py"


def source_hash(name: str) -> str:
    """Return a hash of what runs when a tree grows."""
    return hash_of([path_of(name), _BUILDER])


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
        """Kill every process of the tree, until several looks find none.

        Give up after a number of rounds instead of seconds: a round may take
        a second on a busy machine, and a chain that is left would fork forever.
        """
        quiet = rounds = 0
        while quiet < self._looks:
            if rounds > _ROUNDS:
                raise RuntimeError(f"cannot kill what has {_VARIABLE}={self.mark}")
            if self._look(_kill_with_group):
                quiet, rounds = 0, rounds + 1
            else:
                quiet += 1
                time.sleep(0.01)  # A chain is elsewhere a moment later.
        for child in psutil.Process().children():
            with suppress(psutil.NoSuchProcess, ChildProcessError):
                if child.status() == psutil.STATUS_ZOMBIE:
                    os.waitpid(child.pid, os.WNOHANG)

    @property
    def _looks(self) -> int:
        return 30 if self.name == "chain" else 3

    def _largest_look(self) -> int:
        return max(self._look(lambda *_: None) for _ in range(self._looks))

    def _look(self, act: Callable[[int, int], None]) -> int:
        """Act on the pid and pidfd of each living process; return how many there are.

        Count a process even if it exits before it can be opened: it may have forked.
        """
        found = 0
        for pid in psutil.pids():
            with suppress(OSError):
                if self._has(pid):
                    found += 1
                    with _opened(pid) as pidfd:
                        if self._has(pid):
                            act(pid, pidfd)
        return found

    def _has(self, pid: int) -> bool:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
        return f"{_VARIABLE}={self.mark}".encode() in environment.split(b"\0")


@contextmanager
def marked(name: str) -> Iterator[Tree]:
    """Yield a tree with a new mark; kill all that is left of it after the block."""
    tree = Tree(name, str(uuid.uuid4()))
    try:
        yield tree
    finally:
        tree.kill()


@contextmanager
def _opened(pid: int) -> Iterator[int]:
    pidfd = os.pidfd_open(pid)
    try:
        yield pidfd
    finally:
        os.close(pidfd)


def _kill_with_group(pid: int, pidfd: int) -> None:
    """Kill a process with its group, because no fork escapes a signal to a group.

    A link of a chain has forked before the kill for this link alone arrives.
    The group is never ours, because the root of a tree leads a session.
    """
    group = os.getpgid(pid)
    if group != os.getpgrp():
        os.killpg(group, signal.SIGKILL)
    signal.pidfd_send_signal(pidfd, signal.SIGKILL)
