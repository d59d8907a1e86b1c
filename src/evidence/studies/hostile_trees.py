"""Start the hostile trees of `tests/trees`, count what is alive of one, kill the rest.

This is the independent witness of the library: it uses nothing of it. Each process
of a tree inherits a mark in its environment, and is found by that mark. So is each
process of the neighbor, which must survive.
"""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from evidence.paths import ROOT
from evidence.studies.study import hash_of

FOLDER = ROOT / "tests" / "trees"
#: Builds the trees; not a tree itself.
_BUILDER = FOLDER / "grow.py"
_VARIABLE = "HOSTILE_TREE"
_NEIGHBOR = "HOSTILE_TREE_NEIGHBOR"
#: Exits at the end of a pipe; before and after that, two of its processes are alive.
_LAUNCHER = "sleep 600 & read line; sleep 600 & exit"
_INNOCENT = 2
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


class Marked:
    """Processes that are known by a mark in their environment."""

    #: Looks of which each may miss a process.
    looks = 3

    def __init__(self) -> None:
        """Choose a new mark."""
        self.mark = str(uuid.uuid4())

    @property
    def _environment(self) -> dict[str, str]:
        return {**os.environ, _VARIABLE: self.mark}

    def count_alive(self) -> int:
        """Return how many processes are alive, by the largest number of several looks.

        A chain that forks and exits is often between two processes.
        """
        return max(self._look(lambda *_: None) for _ in range(self.looks))

    def kill(self) -> None:
        """Kill every process, until several looks find none.

        Give up after a number of rounds instead of seconds: a round may take
        a second on a busy machine, and a chain that is left would fork forever.
        """
        quiet = rounds = 0
        while quiet < self.looks:
            if rounds > _ROUNDS:
                raise RuntimeError(f"cannot kill what has {_VARIABLE}={self.mark}")
            if self._look(_kill_with_group):
                quiet, rounds = 0, rounds + 1
            else:
                quiet += 1
                time.sleep(0.005)  # A chain is elsewhere a moment later.

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
        environment = _read(f"/proc/{pid}/environ")
        if not environment and _thread_count(pid) > 1:
            # Only the other threads show it after the first has exited.
            for thread in os.listdir(f"/proc/{pid}/task"):
                environment = environment or _read(f"/proc/{pid}/task/{thread}/environ")
        return f"{_VARIABLE}={self.mark}".encode() in environment.split(b"\0")


class Tree(Marked):
    """One growth of a hostile tree."""

    def __init__(self, name: str) -> None:
        """Choose a tree by its name."""
        super().__init__()
        self.name = name
        if name == "chain":
            self.looks = 30

    def grow(self, neighbor: "Neighbor") -> subprocess.Popen[str]:
        """Start the tree, wait until it is complete, and return its root."""
        root = subprocess.Popen(
            # site would take longer to import than some trees to grow.
            [sys.executable, "-S", "-W", "ignore", path_of(self.name)],
            env={**self._environment, _NEIGHBOR: str(neighbor.pipe)},
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            pass_fds=[neighbor.pipe],
        )
        os.close(neighbor.pipe)
        with root.stdout or sys.stdin as stdout:
            if stdout.readline() != "ready\n":
                raise RuntimeError(f"the tree {self.name} did not grow")
        if self.name == "headless":  # Complete when its leader is a zombie.
            os.waitid(os.P_PID, root.pid, os.WEXITED | os.WNOWAIT)
        return root

    def count_alive(self) -> int:
        """Return how many processes survived; those that are exiting do not count."""
        count = super().count_alive()
        if count:
            time.sleep(_DYING)
            count = super().count_alive()
        return count

    def names_left(self) -> list[Path]:
        """Return the shared memory that the tree has left."""
        return list(Path("/dev/shm").glob(f"*{self.mark}*"))

    def kill(self) -> None:
        """Kill every process, and remove the shared memory."""
        super().kill()
        for path in self.names_left():
            path.unlink(missing_ok=True)


class Neighbor(Marked):
    """An older child of the caller, which becomes a launcher of daemons.

    It has one child, and waits until no process of the tree has a certain pipe. Then
    it starts another child and exits, so that both are orphans.
    """

    looks = 1

    def start(self) -> None:
        """Start it; it waits for the end of a pipe that the tree inherits."""
        read, self.pipe = os.pipe()
        self.launcher = subprocess.Popen(
            ["sh", "-c", _LAUNCHER], stdin=read, env=self._environment
        )
        os.close(read)

    def count_harmed(self) -> int:
        """Return how many of its processes were killed."""
        return _INNOCENT - min(_INNOCENT, self.count_alive())


@contextmanager
def planted(name: str) -> Iterator[tuple[Tree, Neighbor]]:
    """Yield a tree and its neighbor; kill all that is left of both after the block."""
    tree, neighbor = Tree(name), Neighbor()
    try:
        yield tree, neighbor
    finally:
        tree.kill()
        neighbor.kill()


def _thread_count(pid: int) -> int:
    """Return the number of threads, see proc_pid_stat(5); the name may have spaces."""
    return int(_read(f"/proc/{pid}/stat").rpartition(b")")[2].split()[17])


def _read(path: str) -> bytes:
    """Read a file of /proc, in a quarter of the time that `Path` takes."""
    file = os.open(path, os.O_RDONLY)
    try:
        content = b""
        while part := os.read(file, 65536):
            content += part
        return content
    finally:
        os.close(file)


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
