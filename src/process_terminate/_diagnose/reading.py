"""What `/proc` shows of one process, read without stopping or attaching to it."""

from __future__ import annotations

import os
import struct
import sys
import time
from contextlib import suppress
from functools import cached_property
from typing import Any, NamedTuple

from process_terminate._process.printable import printable

#: Names of the letters that /proc/PID/stat has for a state, see proc_pid_stat(5).
STATES = {
    "R": "running",
    "S": "sleeping",
    "D": "uninterruptible",
    "T": "stopped",
    "t": "traced",
    "Z": "zombie",
    "X": "gone",
    "I": "idle",
}
#: The entry of the auxiliary vector with the size of a program header, and that size
#: in a 64-bit program, see getauxval(3) and elf(5).
_AT_PHENT, _SIZE_IN_64_BITS = 4, 56
#: Not every system has this clock, nor what mypy knows of it.
_time: Any = time
#: How often the threads of a process are read, if they change meanwhile.
_LOOKS = 3


class GoneError(Exception):
    """Raised if the process ends while it is read."""


class Stat(NamedTuple):
    """The fields of /proc/PID/stat that are used, see proc_pid_stat(5)."""

    name: str
    state: str
    parent: int
    group: int
    terminal: int
    """Number of the device; 0 if it has no terminal."""
    foreground: int
    """Process group that has the terminal; -1 if none."""
    ticks: int
    """Processor time, user and system, in clock ticks."""
    threads: int
    started: int
    """Clock ticks from the start of the system."""
    status: int
    """Status of a zombie, as wait(2) returns it; 0 without the right to see it."""

    @property
    def is_dead(self) -> bool:
        """Whether no thread of it runs: a zombie leader may have live threads."""
        return self.state in "ZX" and self.threads <= 1


class Thread(NamedTuple):
    """One thread, as /proc/PID/task/TID showed it."""

    tid: int
    state: str
    blocked: int
    pending: int
    switches: int
    """How often it has slept: a thread that has not is still in the same call."""
    call: tuple[int, ...] | None
    """Number of its system call and six arguments; None if it runs, or is unseen."""


class Process:
    """Reads the files of one process, and notes which it may not read."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        #: The last parts of the paths that this user may not read.
        self.denied: set[str] = set()
        self.unknown_call = ""
        self._machine: str | None = None
        self.stat = self._read_stat()
        self.status = self._read_status(f"/proc/{pid}/status")

    def read(self, file: str) -> str:
        """Return a file; nothing if it is not there, or is not for this user."""
        return self._read(f"/proc/{self.pid}/{file}")

    def _read(self, path: str) -> str:
        return self._bytes(path).decode(errors="replace")

    def _bytes(self, path: str) -> bytes:
        try:
            with open(path, "rb") as file:  # noqa: PTH123, as it is faster
                return file.read()
        except PermissionError:
            self.denied.add(path.rpartition("/")[-1])
        except OSError:
            pass
        return b""

    def _read_stat(self) -> Stat:
        text = self.read("stat")
        if not text:
            raise GoneError
        opening, closing = text.index("("), text.rindex(")")
        fields = text[closing + 2 :].split()
        numbers = [int(field) for field in fields[1:]]
        return Stat(
            name=text[opening + 1 : closing],
            state=fields[0],
            parent=numbers[0],
            group=numbers[1],
            terminal=numbers[3],
            foreground=numbers[4],
            ticks=numbers[10] + numbers[11],
            threads=numbers[16],
            started=numbers[18],
            # A kernel that is emulated, as by QEMU or gVisor, may show less.
            status=numbers[48] if len(numbers) > 48 else 0,
        )

    def _read_status(self, path: str) -> dict[str, str]:
        lines = self._read(path).splitlines()
        pairs = [line.partition(":") for line in lines]
        return {name: value.strip() for name, _, value in pairs}

    def mask(self, name: str) -> int:
        """Return a mask of signals, or of capabilities, of /proc/PID/status."""
        return _mask(self.status, name)

    @property
    def command(self) -> str:
        """The command line; the name if there is none."""
        text = " ".join(self.read("cmdline").replace("\0", " ").split())
        return printable(text or f"[{self.stat.name}]")

    @property
    def age(self) -> float:
        """Seconds since its start."""
        # A sandbox hides /proc/uptime (subset=pid), and lxcfs shows a container's own.
        uptime = _time.clock_gettime(_time.CLOCK_BOOTTIME)
        return float(max(0, uptime - self.stat.started / os.sysconf("SC_CLK_TCK")))

    def may_trace(self) -> bool:
        """Return whether this user sees all of it, as ptrace(2) defines that."""
        return os.geteuid() in {0, int(self.status.get("Uid", "-1").split()[0])}

    @cached_property
    def threads(self) -> list[Thread]:
        """Its threads when they were first asked for, the first thread first.

        They are read again if a thread has started or exited meanwhile: the first one
        may wait for a thread that was not there before.
        """
        found: list[Thread | None] = []
        for _ in range(_LOOKS):
            tids = self._tids()
            found = [self._thread(tid) for tid in tids]
            if self._tids() == tids:
                break
        first = [thread for thread in found if thread and thread.tid == self.pid]
        others = [thread for thread in found if thread and thread.tid != self.pid]
        return first + others

    def _tids(self) -> list[int]:
        try:
            return sorted(map(int, os.listdir(f"/proc/{self.pid}/task")))  # noqa: PTH208
        except OSError:
            return []

    def _thread(self, tid: int) -> Thread | None:
        status = self._read_status(f"/proc/{self.pid}/task/{tid}/status")
        if "State" not in status:
            return None
        return Thread(
            tid=tid,
            state=status["State"][0],
            # gVisor shows none of these three.
            blocked=_mask(status, "SigBlk"),
            pending=_mask(status, "SigPnd"),
            switches=int(status.get("voluntary_ctxt_switches", "0")),
            call=_numbers(self.read(f"task/{tid}/syscall")),
        )

    def machine(self, tid: int) -> str:
        """Return the machine whose system calls one of its threads makes.

        It is empty for 32-bit programs, which have other numbers of system calls, and
        if it cannot be read. The program itself is not read: its disk may not answer.
        """
        if self._machine is None:
            # That of the process is empty if its first thread has exited.
            vector = self._bytes(f"/proc/{self.pid}/task/{tid}/auxv")
            if not vector:
                return ""
            entries = dict(struct.iter_unpack("=QQ", vector[: len(vector) // 16 * 16]))
            is_64_bit = entries.get(_AT_PHENT) == _SIZE_IN_64_BITS
            self._machine = self._architecture() if is_64_bit else ""
        return self._machine

    def _architecture(self) -> str:
        """Return the architecture of the kernel.

        An emulator such as qemu-user hides it from uname(), but not from the file,
        which Linux has since 6.1.
        """
        shown = self._read("/proc/sys/kernel/arch").strip()
        return shown or os.uname().machine

    def target(self, fd: int) -> str:
        """Return a path, `pipe:[inode]` or `socket:[inode]`; nothing if unseen."""
        with suppress(OSError):
            return os.readlink(f"/proc/{self.pid}/fd/{fd}")  # noqa: PTH115
        return ""

    def memory(self, address: int, size: int) -> bytes:
        """Return a part of its memory; nothing if that is not for this user."""
        try:
            with open(f"/proc/{self.pid}/mem", "rb", buffering=0) as file:  # noqa: PTH123
                file.seek(address)
                return file.read(size)
        except PermissionError:
            self.denied.add("mem")
        except (OSError, OverflowError, ValueError):
            pass
        return b""

    def unseen(self) -> list[str]:
        """Return what could not be read, and why."""
        kinds = {
            "syscall": "the system calls that its threads wait in",
            "mem": "the arguments of its system calls",
            "maps": "its semaphores",
        }
        why = self._why()
        found = [f"{kinds[kind]}: {why}" for kind in kinds if kind in self.denied]
        if self._machine == "":
            known = "only those of 64-bit programs for x86-64 and ARM64 are known"
            found.append(f"{kinds['syscall']}: {known}")
        elif self.unknown_call:
            found.append(f"what its main thread waits for: {self.unknown_call}")
        if "SigCgt" not in self.status:
            found.append("its signals: this system does not show them, as under gVisor")
        return found

    def _why(self) -> str:
        owner = self.status.get("Uid", "?").split()[0]
        if owner != str(os.geteuid()):
            return f"it belongs to the user with the id {owner}; use sudo"
        scope = self._read("/proc/sys/kernel/yama/ptrace_scope").strip()
        if scope not in ("", "0"):
            return f"kernel.yama.ptrace_scope is {scope}; use sudo"
        return "the kernel refuses it to this user; use sudo"

    def is_same(self) -> bool:
        """Return whether the process is still there, and not another of its pid."""
        try:
            return self._read_stat().started == self.stat.started
        except GoneError:
            return False


def _mask(status: dict[str, str], name: str) -> int:
    return int(status.get(name, "0"), 16)


def _numbers(text: str) -> tuple[int, ...] | None:
    """Return the numbers of /proc/PID/syscall; None if it shows no system call."""
    words = text.split()
    if len(words) < 7:  # "running", or "-1" with two registers.
        return None
    return (int(words[0]), *(int(word, 16) for word in words[1:7]))


def is_readable() -> bool:
    """Return whether this system has a `/proc` that shows what is needed."""
    return sys.platform == "linux" and os.path.exists("/proc/self/status")  # noqa: PTH110
