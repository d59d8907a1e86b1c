"""The process table: which processes there are, and which is the child of which."""

import errno
import functools
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import psutil

if sys.platform != "win32":  # pragma: no branch
    import fcntl
    import resource
    import struct

#: An error of Windows that psutil lets through if a process dies meanwhile.
_INVALID_HANDLE = 6
#: _IOWR(0xFF, 11, struct pidfd_info), and the start and size of that structure, see
#: linux/pidfd.h: mask, cgroup, pid, thread group, parent.
_PIDFD_GET_INFO = 0xC040FF0B
_PIDFD_INFO = "=QQIII"
_PIDFD_INFO_SIZE = 64
#: Bytes of a file of /proc that are surely less than a page.
_SHORT = 2048
_NO_DESCRIPTOR = "no file descriptor is free to read /proc: close files, or raise the "
_NO_DESCRIPTOR += "limit (ulimit -n)"
#: A partial, because tests with pyfakefs replace the function in all modules.
close = functools.partial(os.close)
_STATES = {psutil.STATUS_STOPPED: "T", psutil.STATUS_ZOMBIE: "Z"}


class Entry(NamedTuple):
    """One process, as the system showed it at one moment."""

    pid: int
    parent: int
    started: float
    """When, in the system's own unit: tells apart two processes with one pid."""
    state: str
    """A letter as in ps(1): T and t are stopped, Z and X are dead."""
    name: str
    threads: int = 1

    @property
    def key(self) -> tuple[int, float]:
        """What no other process shares."""
        return self.pid, self.started

    @property
    def is_dead(self) -> bool:
        """Whether no thread of it runs: a zombie leader may have live threads."""
        return self.state in "ZX" and self.threads <= 1


def require(call: str) -> None:
    """Raise RuntimeError or OSError unless the process table can be read."""
    if sys.platform != "linux":  # psutil reads it there.
        return
    # A sandbox, such as Landlock, may permit to read no file there, or no folder.
    with suppress(FileNotFoundError, PermissionError):
        me = os.readlink("/proc/self")  # noqa: PTH115, as it is faster
        if me == str(os.getpid()) and read(me, "stat"):
            with os.scandir("/proc"):
                return
    raise RuntimeError(
        f"{call}() needs to read the /proc of this process's own pid namespace: mount "
        "it and permit that, or use stop_all() for processes that you started yourself"
    )


class Room:
    """Let this process open more files in the block, if it has opened too many."""

    _limits: tuple[int, int] | None = None

    def __enter__(self) -> None:
        try:
            for fd in os.pipe():  # Reading the table takes two descriptors.
                close(fd)
        except OSError:
            if sys.platform != "win32":  # pragma: no branch
                self._limits = old = resource.getrlimit(resource.RLIMIT_NOFILE)
                resource.setrlimit(resource.RLIMIT_NOFILE, (old[1], old[1]))

    def __exit__(self, *_: object) -> None:
        if sys.platform != "win32" and self._limits is not None:
            resource.setrlimit(resource.RLIMIT_NOFILE, self._limits)


def all_pids() -> list[int]:
    """Return the pid of every process that can be seen."""
    if sys.platform == "linux":
        return [int(name) for name in os.listdir("/proc") if name.isdecimal()]  # noqa: PTH208, as it is faster
    return psutil.pids()


def look_up(pid: int) -> Entry | None:
    """Return what the system shows of a process; None if it shows nothing."""
    if sys.platform == "linux":
        return _read_stat(pid)
    return _ask_psutil(pid)


def ancestors(parent: int | None = None) -> set[int]:
    """Return a parent, by default of this process, and its ancestors that are seen."""
    found: set[int] = set()
    if parent is None:
        # In Python 3.13 and later, os.getppid() needs a call that Wine 10 lacks.
        parent = psutil.Process().ppid() if sys.platform == "win32" else os.getppid()
    while parent and parent not in found:
        found.add(parent)
        entry = look_up(parent)
        parent = entry.parent if entry else 0
    return found


def is_hidden(pid: int) -> bool:
    """Return whether there is such a process, and the system shows nothing of it."""
    if sys.platform == "win32" or look_up(pid):
        return False
    try:
        with suppress(PermissionError):
            os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    return True


def _read_stat(pid: int) -> Entry | None:
    """Read /proc/PID/stat, see proc_pid_stat(5); psutil takes five times as long."""
    text = read(pid, "stat")
    if not text:
        return None
    # The name is in parentheses, and may contain parentheses.
    opening, closing = text.index(b"("), text.rindex(b")")
    fields = text[closing + 2 :].split(b" ", 20)
    return Entry(
        pid=pid,
        parent=int(fields[1]),
        started=int(fields[19]),
        state=fields[0].decode(),
        name=text[opening + 1 : closing].decode(errors="replace"),
        threads=int(fields[17]),
    )


def is_resource_tracker(pid: int) -> bool:
    """Return whether it is the tracker that multiprocessing, or a fork of it, runs."""
    return sys.platform == "linux" and b"resource_tracker import main" in read(
        pid, "cmdline"
    )


def descendants(roots: set[int], but: int = 0) -> list[Entry]:
    """Return all processes that descend from some, but not one and its descendants."""
    children: dict[int, list[Entry]] = {}
    for pid in all_pids():
        if entry := look_up(pid):
            children.setdefault(entry.parent, []).append(entry)
    found = []
    waiting = list(roots)
    while waiting:
        for entry in children.pop(waiting.pop(), []):
            if entry.pid != but:
                found.append(entry)
                waiting.append(entry.pid)
    return found


def descendants_twice(roots: set[int], but: int = 0) -> list[Entry]:
    """Return them as seen twice: the orphan of one that is dead is there by then."""
    return [*descendants(roots, but), *descendants(roots, but)]


def children(pids: set[int]) -> set[int] | None:
    """Return the pids of the children of some processes; None if that is unknown.

    One may be missing while others exit, see proc_pid_task(5), so it looks twice.
    """
    found: set[int] = set()
    for pid in pids:
        try:
            for thread in 2 * os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208, as it is faster
                found.update(map(int, read(pid, f"task/{thread}/children").split()))
            os.stat(f"/proc/{pid}/task/{pid}/children")  # noqa: PTH116, as it is faster
        except OSError:  # This kernel does not show them.
            return None
    return found


def child_entries(parents: set[int], but: int = 0) -> list[Entry]:
    """Return the children of some processes; where these are unknown, all below them."""
    pids = children(parents)
    if pids is None:
        return descendants_twice(parents, but)
    return [entry for pid in pids - {but} if (entry := look_up(pid))]


def forked_by(thread: int | None) -> set[int]:
    """Return the pids of the children that a thread of this process has started."""
    return set(map(int, read(os.getpid(), f"task/{thread}/children").split()))


def read(pid: int | str, file: str) -> bytes:
    """Return a small file of /proc; nothing if there is no process, or no access.

    Not by open(), which may be a mock in a test.
    """
    try:
        fd = os.open(f"/proc/{pid}/{file}", os.O_RDONLY)
        try:
            found = chunk = os.read(fd, 1 << 16)
            # The kernel gives a page at most, so the pids of some 500 children.
            while len(chunk) > _SHORT:
                chunk = os.read(fd, 1 << 16)
                found += chunk
            return found
        finally:
            close(fd)
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return b""
    except OSError as error:
        if error.errno in (errno.EMFILE, errno.ENFILE):
            raise OSError(error.errno, _NO_DESCRIPTOR) from None
        raise


def status_field(pid: int, field: bytes) -> bytes:
    """Return a field of /proc/PID/status; nothing if the system does not tell."""
    lines = read(pid, "status").splitlines()
    return next((x.removeprefix(field) for x in lines if x.startswith(field)), b"")


def _ask_psutil(pid: int) -> Entry | None:
    """Return what psutil shows, on systems without /proc."""
    try:
        process = psutil.Process(pid)
        with process.oneshot():
            return Entry(
                pid=pid,
                parent=_parent(process),
                started=process.create_time(),
                state=_STATES.get(process.status(), "R"),
                name=process.name(),
            )
    except psutil.Error:
        return None
    except OSError as error:
        if getattr(error, "winerror", None) == _INVALID_HANDLE:
            return None
        raise


def _parent(process: psutil.Process) -> int:
    """Return the pid of the parent; 0 if another process has that pid by now.

    Windows continues to name a parent that is dead, and reuses its pid.
    """
    parent = process.ppid()
    if sys.platform == "win32":
        with suppress(psutil.Error):
            if psutil.Process(parent).create_time() > process.create_time():
                return 0
    return parent


def process_of(tid: int) -> int:
    """Return the pid of the process of a thread, which is its own id if unknown.

    htop shows the ids of threads. On Wine, /proc has the numbers of Linux.
    """
    return int((sys.platform == "linux" and status_field(tid, b"Tgid:")) or tid)


def has_pipe_to(pid: int, pipe: int | None) -> bool:
    """Return whether a process has the pipe open that belongs to a descriptor here."""
    if pipe is None:
        return False
    try:
        ours = os.fstat(pipe)
        folder = Path(f"/proc/{pid}/fd")
        return any(os.path.samestat(fd.stat(), ours) for fd in folder.iterdir())
    except OSError:
        return False


if sys.platform == "linux":  # pragma: no branch

    def parent_of(pidfd: int) -> int | None:
        """Ask the kernel (Linux 6.13), in a fifth of the time that /proc takes."""
        answer = bytearray(_PIDFD_INFO_SIZE)
        try:
            fcntl.ioctl(pidfd, _PIDFD_GET_INFO, answer)
        except ProcessLookupError:
            return 0
        except OSError:  # An older kernel, or a sandbox.
            return None
        return int(struct.unpack_from(_PIDFD_INFO, answer)[-1])
