"""What a thread waits for, decoded from its system call and the arguments of it."""

from __future__ import annotations

import os
import struct
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

from process_terminate._diagnose.reading import Process, Thread

#: Numbers of the system calls that wait, by `Process.machine()`: asm/unistd.h.
_NUMBERS = {
    "x86_64": {
        0: "read", 1: "write", 2: "open", 7: "poll", 17: "pread64", 18: "pwrite64",
        19: "readv", 20: "writev", 23: "select", 34: "pause", 35: "nanosleep",
        40: "sendfile", 42: "connect", 43: "accept", 44: "sendto", 45: "recvfrom", 46: "sendmsg",
        47: "recvmsg", 56: "clone", 58: "vfork", 61: "wait4", 72: "fcntl", 73: "flock",
        74: "fsync", 75: "fdatasync", 128: "rt_sigtimedwait", 130: "rt_sigsuspend",
        202: "futex", 219: "restart_syscall", 230: "clock_nanosleep", 232: "epoll_wait",
        247: "waitid", 257: "openat", 270: "pselect6", 271: "ppoll", 281: "epoll_pwait",
        288: "accept4", 435: "clone3", 441: "epoll_pwait2",
    },
    "aarch64": {
        22: "epoll_pwait", 25: "fcntl", 32: "flock", 56: "openat", 63: "read",
        64: "write", 65: "readv", 66: "writev", 67: "pread64", 68: "pwrite64",
        71: "sendfile", 72: "pselect6", 73: "ppoll", 82: "fsync", 83: "fdatasync",
        95: "waitid", 98: "futex", 101: "nanosleep", 115: "clock_nanosleep",
        128: "restart_syscall", 133: "rt_sigsuspend", 137: "rt_sigtimedwait",
        202: "accept", 203: "connect", 206: "sendto", 207: "recvfrom", 211: "sendmsg",
        212: "recvmsg", 220: "clone", 242: "accept4", 260: "wait4", 435: "clone3",
        441: "epoll_pwait2",
    },
}  # fmt: skip
#: What a call is named that the kernel has restarted, until it is known which it is.
RESTARTED = "restart_syscall"
#: The calls that open a file, and which of their arguments is the path.
_OPENS = {"open": 0, "openat": 1}
#: Its flags that say whether it reads, writes or both: PyPy has no os.O_ACCMODE.
_ACCESS = os.O_RDONLY | os.O_WRONLY | os.O_RDWR
_READS = {"read", "readv", "pread64", "recvfrom", "recvmsg", "accept", "accept4"}
_WRITES = {"write", "writev", "pwrite64", "fsync", "fdatasync", "sendfile"}
_WRITES |= {"sendto", "sendmsg", "connect"}
#: Calls that wait for several files, as event loops do.
POLLS = {"poll", "ppoll", "select", "pselect6"}
POLLS |= {"epoll_wait", "epoll_pwait", "epoll_pwait2"}
#: Operations of futex(2) that wait, those with an absolute timeout, and a flag that
#: says that only threads of the same process can wake it.
_FUTEX_WAITS, _FUTEX_ABSOLUTE = {0, 6, 9, 11, 13}, {6, 9, 11, 13}
_FUTEX_PRIVATE, _FUTEX_REALTIME, _FUTEX_COMMAND = 128, 256, 127
#: Both for poll(2) and for epoll(7).
_POLLIN, _POLLOUT = 1, 4
_TIMER_ABSTIME = 1
#: Types of id of waitid(2).
_P_PID, _P_PIDFD = 1, 3
_MOST_FDS = _LONGEST_PATH = 4096


class Blocked(NamedTuple):
    """What one thread waits for."""

    kind: str
    """`files`, `semaphore`, `thread`, `child`, `time`, `file lock`, `signal`,
    `named pipe`, `running` or `unknown`."""
    call: str = ""
    """The name of the system call."""
    reads: tuple[int, ...] = ()
    """File descriptors: one of them must become readable, or one of ..."""
    writes: tuple[int, ...] = ()
    """... these writable."""
    child: int = 0
    """Pid of the child; 0 for any child."""
    address: int = 0
    """Address of the semaphore."""
    path: str = ""
    """The path of a named pipe, as the process gave it to the call."""
    missing: str = ""
    """For what another process must open that pipe: `reading` or `writing`."""
    signals: tuple[int, ...] = ()
    """The signals that it waits for; none for any that has a handler."""
    limit: float | None = None
    """Seconds until a timeout at the latest; None if it waits without a limit."""
    until: float | None = None
    """When the timeout is, in seconds since the epoch; None if only `limit` is known."""


def decode(process: Process, thread: Thread) -> Blocked:
    """Return what a thread waits for."""
    if thread.state == "R":
        return Blocked("running")
    if thread.call is None:
        return Blocked("unknown")
    name = _NUMBERS.get(process.machine(thread.tid), {}).get(thread.call[0], "")
    args = thread.call[1:]
    if name == RESTARTED:
        name = _restarted(process, thread)
    if name in _OPENS:
        return _open(process, thread.tid, name, args)
    if name in _READS:
        return Blocked("files", name, reads=(_int(args[0]),))
    if name in _WRITES:
        return Blocked("files", name, writes=(_int(args[0]),))
    decoder = _DECODERS.get(name)
    return decoder(process, name, args) if decoder else Blocked("unknown", name)


def _restarted(process: Process, thread: Thread) -> str:
    """Return the system call that the kernel has restarted after a stop.

    Its arguments are still in their registers. The calls that are restarted in this way
    are poll(2), futex(2) and those that sleep: `grep ERESTART_RESTARTBLOCK` in Linux.
    Which one, only /proc/PID/wchan tells, which Linux 5.10 leaves empty.
    """
    where = process.read(f"task/{thread.tid}/wchan")
    for call in ("poll", "futex"):
        if call in where:
            return call
    return "a sleep" if where.strip("0") else RESTARTED


def _open(process: Process, tid: int, name: str, args: tuple[int, ...]) -> Blocked:
    """Return what open(2) waits for: the other end of a named pipe, or unknown.

    The file itself is not looked at, because its disk may not answer. Linux 5.10 leaves
    /proc/PID/wchan empty.
    """
    if "wait_for_partner" not in process.read(f"task/{tid}/wchan"):
        return Blocked("unknown", name)
    first = _OPENS[name]
    address, flags = args[first : first + 2]
    path = process.memory(address, _LONGEST_PATH).partition(b"\0")[0]
    missing = "reading" if flags & _ACCESS == os.O_WRONLY else "writing"
    return Blocked("named pipe", name, path=os.fsdecode(path), missing=missing)


def _int(value: int) -> int:
    """Return an argument as a C int."""
    value &= 0xFFFFFFFF
    return value - (1 << 32) if value >> 31 else value


def _milliseconds(value: int) -> float | None:
    """Return a timeout in milliseconds as seconds; None if it is negative."""
    number = _int(value)
    return None if number < 0 else number / 1000


def _timeout(process: Process, address: int, *, micro: bool = False) -> float | None:
    """Return the seconds of a timespec or timeval; None if there is none."""
    if not address:
        return None
    data = process.memory(address, 16)
    if len(data) < 16:
        return 0.0  # There is a limit, but it cannot be read.
    whole, part = struct.unpack("=qq", data)
    seconds: float = whole + part / (1e6 if micro else 1e9)
    return seconds


def _absolute(at: float, clock: int) -> tuple[float, float]:
    """Return the seconds until a time of a clock, and that time since the epoch."""
    rest = at - time.clock_gettime(clock)
    return max(rest, 0.0), time.time() + rest


def _poll(process: Process, name: str, args: tuple[int, ...]) -> Blocked:
    count = min(args[1], _MOST_FDS)
    data = process.memory(args[0], 8 * count)
    polled = list(struct.iter_unpack("=ihh", data[: len(data) // 8 * 8]))
    limit = _milliseconds(args[2]) if name == "poll" else _timeout(process, args[2])
    if not count and limit is None:  # As pause() on ARM64.
        return Blocked("signal", name)
    waits = [(fd, _only_writes(events)) for fd, events, _ in polled if fd >= 0]
    return _files(
        name,
        [fd for fd, writes in waits if not writes],
        [fd for fd, writes in waits if writes],
        limit,
    )


def _only_writes(events: int) -> bool:
    """Return whether these events of poll(2) or epoll(7) are those of a writer.

    `poll.register(fd)` without events asks for both, whatever it waits for.
    """
    return bool(events & _POLLOUT and not events & _POLLIN)


def _files(
    name: str, reads: list[int], writes: list[int], limit: float | None
) -> Blocked:
    if not reads and not writes and limit is not None:
        return Blocked("time", name, limit=limit)
    return Blocked("files", name, tuple(reads), tuple(writes), limit=limit)


def _select(process: Process, name: str, args: tuple[int, ...]) -> Blocked:
    limit = _timeout(process, args[4], micro=name == "select")
    reads, writes = (_set(process, args[0], address) for address in args[1:3])
    return _files(name, reads, writes, limit)


def _set(process: Process, count: int, address: int) -> list[int]:
    """Return the file descriptors of a fd_set."""
    if not address:
        return []
    bits = int.from_bytes(
        process.memory(address, (count + 63) // 64 * 8), sys.byteorder
    )
    return [fd for fd in range(min(count, _MOST_FDS)) if bits >> fd & 1]


def _epoll(process: Process, name: str, args: tuple[int, ...]) -> Blocked:
    if name == "epoll_pwait2":
        limit = _timeout(process, args[3])
    else:
        limit = _milliseconds(args[3])
    reads: list[int] = []
    writes: list[int] = []
    for line in process.read(f"fdinfo/{_int(args[0])}").splitlines():
        words = line.split()
        if words[:1] == ["tfd:"]:
            to = writes if _only_writes(int(words[3], 16)) else reads
            to.append(int(words[1]))
    return _files(name, reads, writes, limit)


def _futex(process: Process, name: str, args: tuple[int, ...]) -> Blocked:
    command = args[1] & _FUTEX_COMMAND
    if command not in _FUTEX_WAITS:
        return Blocked("unknown", name)
    kind = "thread" if args[1] & _FUTEX_PRIVATE else "semaphore"
    limit = _timeout(process, args[3])
    if limit is not None and command in _FUTEX_ABSOLUTE:
        realtime = args[1] & _FUTEX_REALTIME
        clock = time.CLOCK_REALTIME if realtime else time.CLOCK_MONOTONIC
        limit, _ = _absolute(limit, clock)
    return Blocked(kind, name, address=args[0], limit=limit)


def _wait4(process: Process, name: str, args: tuple[int, ...]) -> Blocked:  # noqa: ARG001
    return Blocked("child", name, child=max(_int(args[0]), 0))


def _waitid(process: Process, name: str, args: tuple[int, ...]) -> Blocked:
    child = 0
    if args[0] == _P_PID:
        child = _int(args[1])
    elif args[0] == _P_PIDFD:
        child = pid_of_pidfd(process, _int(args[1]))
    return Blocked("child", name, child=child)


def pid_of_pidfd(process: Process, fd: int) -> int:
    """Return the pid that a pidfd of a process stands for; 0 if unknown."""
    for line in process.read(f"fdinfo/{fd}").splitlines():
        if line.startswith("Pid:"):
            return max(int(line[4:]), 0)
    return 0


def _nanosleep(process: Process, name: str, args: tuple[int, ...]) -> Blocked:
    return Blocked("time", name, limit=_timeout(process, args[0]))


def _restarted_sleep(process: Process, name: str, args: tuple[int, ...]) -> Blocked:  # noqa: ARG001
    return Blocked("time", name, limit=0.0)  # Which argument is the time, is unknown.


def _clock_nanosleep(process: Process, name: str, args: tuple[int, ...]) -> Blocked:
    limit = _timeout(process, args[2])
    if not limit or not args[1] & _TIMER_ABSTIME:  # 0 if it cannot be read.
        return Blocked("time", name, limit=limit)
    limit, until = _absolute(limit, _int(args[0]))
    return Blocked("time", name, limit=limit, until=until)


def _pause(process: Process, name: str, args: tuple[int, ...]) -> Blocked:
    if name != "rt_sigtimedwait":
        return Blocked("signal", name)
    mask = int.from_bytes(process.memory(args[0], 8), sys.byteorder)
    signals = tuple(number for number in range(1, 65) if mask >> (number - 1) & 1)
    return Blocked("signal", name, limit=_timeout(process, args[2]), signals=signals)


def _flock(process: Process, name: str, args: tuple[int, ...]) -> Blocked:  # noqa: ARG001
    return Blocked("file lock", name, reads=(_int(args[0]),))


_Decoder = Callable[[Process, str, tuple[int, ...]], Blocked]
_DECODERS: dict[str, _Decoder] = {
    "poll": _poll, "ppoll": _poll, "select": _select, "pselect6": _select,
    "epoll_wait": _epoll, "epoll_pwait": _epoll, "epoll_pwait2": _epoll,
    "futex": _futex, "wait4": _wait4, "waitid": _waitid, "nanosleep": _nanosleep,
    "clock_nanosleep": _clock_nanosleep, "pause": _pause, "rt_sigsuspend": _pause,
    "rt_sigtimedwait": _pause, "a sleep": _restarted_sleep, "fcntl": _flock, "flock": _flock,
}  # fmt: skip
