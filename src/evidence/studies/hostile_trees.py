"""Start the hostile trees of `tests/trees`, count what is alive of one, kill the rest.

This is the independent witness of the library: it uses nothing of it. Each process
of a tree inherits a mark in its environment, and is found by that mark. So is each
process of the neighbor, which must survive.
"""

import os
import select
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from evidence.paths import ROOT
from evidence.studies import study

FOLDER = ROOT / "tests" / "trees"
#: Builds the trees; not a tree itself.
_BUILDER = FOLDER / "grow.py"
_VARIABLE = "HOSTILE_TREE"
_NEIGHBOR = "HOSTILE_TREE_NEIGHBOR"
_LEASH = "HOSTILE_TREE_LEASH"
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - it is a file system, see shm_overview(7)
#: Exits at the end of a pipe; before and after that, two of its processes are alive.
_LAUNCHER = "sleep 600 & read line; sleep 600 & exit"
_INNOCENT = 2
#: Seconds that a killed process may take to exit, because no process waits for it.
_DYING = 2.0
_PAUSE = 0.02
#: Looks of which each may miss a process that appears meanwhile.
_LOOKS = 3
#: Seconds that the witness may take to kill what is left, on a busy machine.
_DEADLINE = 120.0


def names() -> list[str]:
    """Return the names of the trees."""
    return sorted(path.stem for path in FOLDER.glob("*.py") if path != _BUILDER)


def path_of(name: str) -> Path:
    """Return the program that grows a tree."""
    return FOLDER / f"{name}.py"


def source_hash(name: str) -> str:
    """Return a hash of what runs when a tree grows."""
    return study.hash_of([path_of(name), _BUILDER])


def outdated(measured: dict[str, str]) -> list[str]:
    """Return the trees whose measured hashes are not those of today."""
    today = {name: source_hash(name) for name in names()}
    return sorted(dict(today.items() ^ measured.items()))


class Marked:
    """Processes that are known by a mark in their environment."""

    def __init__(self) -> None:
        """Choose a new mark."""
        self.mark = str(uuid.uuid4())

    @property
    def _environment(self) -> dict[str, str]:
        return {**os.environ, _VARIABLE: self.mark}

    def kill(self) -> None:
        """Kill every process."""
        # Not leftovers.kill_all(), which waits until each is reaped: an orphan may have
        # been adopted by a subreaper that does not reap it. Zombies have no mark.
        end = time.monotonic() + _DEADLINE
        while self._kill_found() or self._has_pipe():
            if time.monotonic() > end:
                raise RuntimeError(f"cannot kill what has {_VARIABLE}={self.mark}")
            time.sleep(_PAUSE)

    def _has_pipe(self) -> bool:
        """Return whether a process is alive that a look may have missed."""
        return False

    def _kill_found(self) -> bool:
        """Kill the processes that one look finds; return whether there were any."""
        found = False
        for pid in self.pids():  # On sight, because it may start others.
            found = True
            with suppress(OSError):
                self._kill_with_group(pid)
        return found

    def _kill_with_group(self, pid: int) -> None:
        """Kill a process and its group, because no fork escapes a signal to a group.

        The group is never ours, because the root of a tree leads a session. It is
        that of the process only if the process is alive after it was read: another
        process may get the pid.
        """
        pidfd = os.pidfd_open(pid)
        try:
            group = os.getpgid(pid) if self._has(pid) else os.getpgrp()
            is_alive = not select.select([pidfd], [], [], 0)[0]
            if is_alive and group != os.getpgrp():
                os.killpg(group, signal.SIGKILL)
            if is_alive and self._has(pid):
                signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        finally:
            os.close(pidfd)

    def pids(self) -> Iterator[int]:
        """Yield the pid of each living process."""
        # From the newest on: a link of a chain is gone a millisecond later.
        for pid in sorted(psutil.pids(), reverse=True):
            with suppress(OSError):
                if self._has(pid):
                    yield pid

    def count_now(self) -> int:
        """Return how many processes are alive, also those that are exiting."""
        return len(list(self.pids()))

    def _has(self, pid: int) -> bool:
        mark = f"{_VARIABLE}={self.mark}".encode()
        environment = b""
        with suppress(ProcessLookupError):
            environment = _read(f"/proc/{pid}/environ")
        if not environment and _thread_count(pid) > 1:
            # Only the other threads show it after the first has exited.
            for thread in Path(f"/proc/{pid}/task").iterdir():
                with suppress(ProcessLookupError):
                    environment = environment or _read(f"{thread}/environ")
        return mark in environment.split(b"\0")


class Tree(Marked):
    """One growth of a hostile tree.

    A look can miss a chain of processes that each fork and exit. So every process
    inherits a pipe, too, which is at its end as soon as none of them is alive, and
    another pipe, at whose end a chain exits.
    """

    def __init__(self, name: str) -> None:
        """Choose a tree by its name."""
        super().__init__()
        self.name = name
        self._alive, pipe = os.pipe()
        self._pipe = os.fdopen(pipe, "wb")
        self._leash, self._handle = os.pipe()

    def grow(
        self, neighbor: "Neighbor", runner: Sequence[str] = ()
    ) -> subprocess.Popen[str]:
        """Start the tree, wait until it is complete, and return its root.

        A runner is a command that runs the tree. It is the root then, and has no mark.
        """
        variables = {
            _VARIABLE: self.mark,
            _NEIGHBOR: str(neighbor.pipe),
            _LEASH: str(self._leash),
        }
        marks = [f"{name}={value}" for name, value in variables.items()]
        # site would take longer to import than some trees to grow.
        program = [sys.executable, "-S", "-W", "ignore", str(path_of(self.name))]
        root = subprocess.Popen(
            [*runner, "env", *marks, *program],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if runner else None,
            text=True,
            start_new_session=True,
            pass_fds=[neighbor.pipe, self._pipe.fileno(), self._leash],
        )
        os.close(neighbor.pipe)
        with root.stdout or sys.stdin as stdout:
            if stdout.readline() != "ready\n":
                raise RuntimeError(f"the tree {self.name} did not grow")
        if self.name == "headless":  # Complete when its leader is a zombie.
            os.waitid(os.P_PID, root.pid, os.WEXITED | os.WNOWAIT)
        return root

    def close_pipe(self) -> None:
        """Close this process's copy of the pipe, so that it can come to its end."""
        self._pipe.close()

    def count_alive(self) -> int:
        """Return how many processes survived; those that are exiting do not count."""
        end = time.monotonic() + _DYING
        while (count := self.count_now()) or self._has_pipe():
            if time.monotonic() > end:
                return max(1, count, *(self.count_now() for _ in range(_LOOKS)))
            time.sleep(_PAUSE)
        return 0

    def _has_pipe(self) -> bool:
        """Return whether a process of the tree has the pipe."""
        return not select.select([self._alive], [], [], 0)[0]

    def names_left(self) -> list[Path]:
        """Return the shared memory that the tree has left."""
        return list(_SHARED_MEMORY.glob(f"*{self.mark}*"))

    def kill(self) -> None:
        """Kill every process, and remove the shared memory."""
        self.close_pipe()
        os.close(self._handle)
        super().kill()
        os.close(self._alive)
        os.close(self._leash)
        for path in self.names_left():
            path.unlink(missing_ok=True)


class Neighbor(Marked):
    """An older child of the caller, which becomes a launcher of daemons.

    It has one child, and waits until no process of the tree has a certain pipe. Then
    it starts another child and exits, so that both are orphans.
    """

    def start(self) -> None:
        """Start it; it waits for the end of a pipe that the tree inherits."""
        read, self.pipe = os.pipe()
        self.launcher = subprocess.Popen(
            ["sh", "-c", _LAUNCHER], stdin=read, env=self._environment
        )
        os.close(read)

    def count_harmed(self) -> int:
        """Return how many of its processes were killed."""
        # A look misses the second child if the launcher starts it meanwhile.
        return _INNOCENT - min(_INNOCENT, max(self.count_now() for _ in range(_LOOKS)))


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
