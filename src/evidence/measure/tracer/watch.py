"""Sees the processes of a run start, die and get reaped."""

import json
import os
import selectors
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from evidence.measure.tracer.inside.tracer_proc import read, stat

#: Seconds that a run may take.
DEADLINE = 20.0
#: Seconds to watch the processes that outlive the main process.
AFTER = 3.0

#: What a process did, at which nanosecond, as the tracer inside it wrote it down.
Note = dict[str, Any]


class Watch:
    """Gathers the notes of traced processes, and adds what they cannot note.

    No process notes its own death. Programs that are not Python note nothing, so
    their children are looked for in /proc again and again.
    """

    def __init__(self, notes: Path) -> None:
        self.notes: list[Note] = []
        #: The commands of processes that were found in /proc before a note named them.
        self.commands: dict[int, list[str]] = {}
        self._file = notes.open()
        self._half = ""
        self._known = _children(os.getpid())
        self._alive: set[int] = set()
        self._parents: dict[int, int] = {}
        #: The parents of the dead processes that are not reaped, as far as is known.
        self._zombies: dict[int, int] = {}
        #: The processes that write notes.
        self._noting: set[int] = set()
        self._selector = selectors.DefaultSelector()

    def follow(self, main: subprocess.Popen[bytes]) -> None:
        """Watch until all processes are dead, or the main one has been for a while."""
        end = time.monotonic() + DEADLINE
        self._meet(main.pid)
        try:
            while main.pid in self._alive:
                self._look(main.pid)
                if time.monotonic() > end:
                    raise TimeoutError(f"still running after {DEADLINE} s")
            main.wait(DEADLINE)
            end = time.monotonic() + AFTER
            # The last one may have died together with the main process.
            while (self._alive or self._zombies) and time.monotonic() < end:
                self._look(main.pid)
            self._read()
        finally:
            for key in list(self._selector.get_map().values()):
                os.close(key.fd)
            self._selector.close()
            self._file.close()

    def _look(self, main: int) -> None:
        for key, _ in self._selector.select(0.001):
            self._see_death(key.data, key.fd)
        self._see_reaping(main)
        self._read()
        self._find()

    def _read(self) -> None:
        """Read the notes that are new."""
        *lines, self._half = (self._half + self._file.read()).split("\n")
        for note in map(json.loads, lines):
            self.notes.append(note)
            self._noting.add(note["pid"])
            self._meet(note["pid"])
            if note["kind"] == "reap":
                self._zombies.pop(note["child"], None)
            if note["kind"] == "fork":
                child = note["child"]
                if self.commands.pop(child, None) is not None:
                    # It was found before its parent had noted it.
                    self.notes = [n for n in self.notes if n.get("found") != child]
                self._meet(child)
                self._parents[child] = note["pid"]

    def _find(self) -> None:
        """Meet the children that no process notes: of other programs, and orphans."""
        for parent in [os.getpid(), *self._alive]:
            for pid in _children(parent) - self._known:
                self._read()  # A note may name it by now.
                if pid in self._known:
                    continue
                self._meet(pid)
                self._parents[pid] = parent
                # A zombie has a name, but no command.
                self.commands[pid] = read(pid, "comm").splitlines()
                if parent == os.getpid() or parent in self._noting:
                    self._note("adopt", pid, by=parent, found=pid)
                else:
                    self._note("fork", parent, child=pid, found=pid)
        for pid in self._alive & set(self.commands):
            # It has the command of its parent until it has its own.
            command = read(pid, "cmdline").split("\0")[:-1]
            self.commands[pid] = command or self.commands[pid]

    def _meet(self, pid: int) -> None:
        """Begin to wait for the death of a process."""
        if pid in self._known:
            return
        self._known.add(pid)
        with suppress(ProcessLookupError):
            self._selector.register(os.pidfd_open(pid), selectors.EVENT_READ, pid)
            self._alive.add(pid)

    def _see_death(self, pid: int, pidfd: int) -> None:
        self._note("die", pid, code=_exit_code(pid))
        self._selector.unregister(pidfd)
        os.close(pidfd)
        self._alive.discard(pid)
        self._zombies[pid] = _parent(pid) or self._parents.get(pid, 0)
        for orphan in sorted(self._alive):
            parent = _parent(orphan)
            if parent and self._parents.get(orphan) == pid != parent:
                self._parents[orphan] = parent
                self._note("adopt", orphan, by=parent)

    def _see_reaping(self, main: int) -> None:
        """Reap the orphans, and see what a process that notes nothing has reaped."""
        for pid, known in list(self._zombies.items()):
            parent = _parent(pid)
            if parent == os.getpid() and pid != main:
                with suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)
                self._note("reap", 0, child=pid)
            elif parent is None and known in self._alive - self._noting:
                self._note("reap", known, child=pid)
            elif parent is not None:
                self._zombies[pid] = parent
                continue
            del self._zombies[pid]

    def _note(self, kind: str, pid: int, **more: object) -> None:
        note = {"at": time.monotonic_ns(), "kind": kind, "pid": pid}
        self.notes.append(note | more)


def _children(pid: int) -> set[int]:
    """Return the children of the first thread of a process."""
    return set(map(int, read(pid, f"task/{pid}/children").split()))


def _parent(pid: int) -> int | None:
    """Return the parent of a process; None if the process is gone."""
    fields = stat(pid)
    return int(fields[1]) if fields else None


def _exit_code(pid: int) -> int | None:
    """Return the exit code of a zombie; None if it was reaped already."""
    fields = stat(pid)
    if not fields or fields[0] not in "ZX":
        return None
    return os.waitstatus_to_exitcode(int(fields[-1]))
