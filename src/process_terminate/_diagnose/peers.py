"""Which processes have the other end of a pipe or socket, or share a semaphore."""

from __future__ import annotations

import os
import socket
import stat
import struct
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, TypeVar

from process_terminate._diagnose.calls import Blocked, pid_of_pidfd
from process_terminate._diagnose.findings import name_of
from process_terminate._diagnose.reading import Process
from process_terminate._process.table import all_pids, look_up

T = TypeVar("T")

#: sock_diag(7): NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, UDIAG_SHOW_PEER,
#: UNIX_DIAG_PEER.
_SOCK_DIAG, _BY_FAMILY, _REQUEST, _SHOW_PEER, _PEER = 4, 20, 1, 4, 2
_ANY = 0xFFFFFFFF
_LISTENS_TCP, _LISTENS_UNIX = "0A", "00010000"
_SEMAPHORES = b"/dev/shm/sem."


class Holder(NamedTuple):
    """A process that has a pipe or a socket open."""

    pid: int
    reads: bool
    writes: bool


class Semaphore(NamedTuple):
    """A POSIX semaphore, such as that of a lock of multiprocessing."""

    inode: int
    device: bytes


class Machine:
    """The processes of this machine, each table read once, when it is needed."""

    def __init__(self) -> None:
        #: Pids whose files, or memory maps, are not for this user.
        self.hidden: set[int] = set()

    @cached_property
    def parents(self) -> dict[int, int]:
        """The parent of each process."""
        entries = map(look_up, all_pids())
        return {entry.pid: entry.parent for entry in entries if entry}

    def children(self, pid: int) -> list[int]:
        """Return the pids of the children of a process, in their order."""
        return sorted(child for child, parent in self.parents.items() if parent == pid)

    @cached_property
    def holders(self) -> defaultdict[str, list[Holder]]:
        """The processes that have a pipe or a socket open, by its name."""
        found: defaultdict[str, list[Holder]] = defaultdict(list)
        for pid, names in self._of_each_process("fd", os.listdir):
            for name in names:
                path = f"/proc/{pid}/fd/{name}"
                with suppress(OSError):  # It is closed by now.
                    target = os.readlink(path)  # noqa: PTH115, as it is faster
                    if target.startswith(("pipe:", "socket:")):
                        mode = os.lstat(path).st_mode
                        reads, writes = mode & stat.S_IRUSR, mode & stat.S_IWUSR
                        found[target].append(Holder(pid, bool(reads), bool(writes)))
        return found

    @cached_property
    def sharers(self) -> defaultdict[Semaphore, set[int]]:
        """The pids that have mapped a semaphore."""
        found: defaultdict[Semaphore, set[int]] = defaultdict(set)
        for pid, text in self._of_each_process("maps", _read_bytes):
            for _, _, semaphore in mappings(text):
                found[semaphore].add(pid)
        return found

    def _of_each_process(
        self, file: str, read: Callable[[str], T]
    ) -> Iterator[tuple[int, T]]:
        """Yield each pid and what is read of it; note those that are hidden."""
        for pid in all_pids():
            try:
                yield pid, read(f"/proc/{pid}/{file}")
            except PermissionError:
                self.hidden.add(pid)
            except OSError:
                continue

    def hidden_since(self, started: int) -> set[int]:
        """Return the hidden processes that are as young as a process, or younger.

        Open files are inherited, so that older processes do not have those of it.
        """
        entries = map(look_up, self.hidden)
        return {entry.pid for entry in entries if entry and entry.started >= started}

    def unseen(self, started: int) -> list[str]:
        """Return what could not be read about the peers of a process, and why."""
        hidden = self.hidden_since(started) if os.geteuid() == 0 else self.hidden
        if not hidden:
            return []
        return [
            f"the files of {len(hidden)} processes, which may have the other end: this "
            "user may not read them" + ("" if os.geteuid() == 0 else "; use sudo")
        ]


def _read_bytes(path: str) -> bytes:
    return Path(path).read_bytes()


def mappings(text: bytes) -> Iterator[tuple[int, int, Semaphore]]:
    """Yield the start, the end and the semaphore of each one in /proc/PID/maps."""
    for line in text.splitlines():
        if _SEMAPHORES in line:
            span, _, _, device, inode = line.split()[:5]
            start, end = (int(word, 16) for word in span.split(b"-"))
            yield start, end, Semaphore(int(inode), device)


def _unix_peer(number: int) -> int:
    """Return the inode of the other end of a Unix socket; 0 if it is unknown.

    Only the kernel tells it, not /proc.
    """
    body = struct.pack(
        "=BBHIIIII", socket.AF_UNIX, 0, 0, _ANY, number, _SHOW_PEER, _ANY, _ANY
    )
    head = struct.pack("=IHHII", 16 + len(body), _BY_FAMILY, _REQUEST, 1, 0)
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _SOCK_DIAG) as link:  # type: ignore[attr-defined,unused-ignore]
            link.settimeout(0.2)
            link.send(head + body)
            answer = link.recv(4096)
    except OSError:
        return 0
    position = 32  # After nlmsghdr and unix_diag_msg come the attributes.
    while position + 8 <= len(answer):
        size, kind = struct.unpack_from("=HH", answer, position)
        if kind == _PEER:
            (peer,) = struct.unpack_from("=I", answer, position + 4)
            return int(peer)
        position += max(4, (size + 3) // 4 * 4)
    return 0


def lock_holders(pid: int) -> set[int]:
    """Return the pids that hold the lock of a file that a process waits for."""
    holders: dict[str, int] = {}
    for words in _words("/proc/locks"):
        if words[1] != "->":
            holders[words[0]] = int(words[4])
        elif int(words[5]) == pid and words[0] in holders:
            return {holders[words[0]]}
    return set()


class Address(NamedTuple):
    """What /proc/net shows of a socket."""

    listens: bool
    local: str
    remote: str


def address(pid: int, number: int) -> Address | None:
    """Return the addresses of a socket of a process; None if it has none."""
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for words in _rows(pid, table):
            if words[9:10] == [str(number)]:
                listens = table.startswith("tcp") and words[3] == _LISTENS_TCP
                return Address(listens, _host(words[1]), _host(words[2]))
    for words in _rows(pid, "unix"):
        if words[6:7] == [str(number)]:
            path = words[7] if len(words) > 7 else ""
            return Address(words[3] == _LISTENS_UNIX, path, "")
    return None


def inode_of(pid: int, local: str, remote: str) -> int:
    """Return the inode of the TCP socket with two addresses; 0 if it is not here."""
    for table in ("tcp", "tcp6"):
        for words in _rows(pid, table):
            if words[1:2] and (_host(words[1]), _host(words[2])) == (local, remote):
                return int(words[9])
    return 0


def _rows(pid: int, table: str) -> list[list[str]]:
    return _words(f"/proc/{pid}/net/{table}")[1:]


def _words(path: str) -> list[list[str]]:
    with suppress(OSError), Path(path).open(errors="replace") as file:
        return [line.split() for line in file]
    return []


def _host(text: str) -> str:
    """Return an address of /proc/net/tcp for people, such as `127.0.0.1:80`."""
    digits, _, port = text.partition(":")
    words = [digits[i : i + 8] for i in range(0, len(digits), 8)]
    packed = b"".join(struct.pack("=I", int(word, 16)) for word in words)
    family = socket.AF_INET if len(packed) == 4 else socket.AF_INET6
    host = socket.inet_ntop(family, packed)
    return f"{host.replace('::ffff:', '')}:{int(port, 16)}"


class File(NamedTuple):
    """A file that a thread waits for, and the processes that can make it ready."""

    kind: str
    """`pipe`, `socket`, `listener`, `terminal`, `process` or `other`."""
    what: str
    wakers: frozenset[int] | None
    """Pids; None if they are unknown, or are not on this machine."""


def files_of(process: Process, wait: Blocked, machine: Machine) -> list[File]:
    """Return the files that a thread waits for."""
    return [_file(process, fd, machine, to_write=False) for fd in wait.reads] + [
        _file(process, fd, machine, to_write=True) for fd in wait.writes
    ]


def _file(process: Process, fd: int, machine: Machine, *, to_write: bool) -> File:
    target = process.target(fd)
    if target.startswith("pipe:"):
        holders = machine.holders[target]
        pids = {one.pid for one in holders if (one.reads if to_write else one.writes)}
        return File("pipe", f"fd {fd}, {target}", frozenset(pids))
    if target.startswith("socket:"):
        return _socket(process, fd, target, machine)
    if target.startswith(("/dev/pts/", "/dev/tty")):
        return File("terminal", target, None)
    if target == "anon_inode:[pidfd]":
        pid = pid_of_pidfd(process, fd)
        return File("process", f"fd {fd}, pidfd of {name_of(pid)}", frozenset({pid}))
    return File("other", f"fd {fd}, {target}" if target else f"fd {fd}", None)


def _socket(process: Process, fd: int, target: str, machine: Machine) -> File:
    what = f"fd {fd}, {target}"
    number = int(target[len("socket:[") : -1])
    found = address(process.pid, number)
    if found and found.listens:
        return File("listener", f"fd {fd}, {found.local}", None)
    if found and found.remote:
        other = inode_of(process.pid, found.remote, found.local)
        what = f"fd {fd}, {found.local}, connected to {found.remote}"
    else:
        other = _unix_peer(number)
    holders = machine.holders[f"socket:[{other}]"] if other else []
    pids = frozenset(one.pid for one in holders)
    return File("socket", what, pids or None)
