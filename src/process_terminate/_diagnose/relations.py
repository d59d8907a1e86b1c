"""Findings about the relatives of a process, and about how it died."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator
from contextlib import suppress

from process_terminate._diagnose.condition import cgroups, values_in
from process_terminate._diagnose.findings import (
    Finding,
    finding,
    name_of,
    survivors_finding,
)
from process_terminate._diagnose.peers import Machine
from process_terminate._diagnose.reading import GoneError, Process
from process_terminate._exit_status import ExitStatus
from process_terminate._process.table import look_up

#: Programs that start another process when one of theirs ends.
SUPERVISORS = frozenset(
    [
        "apache2",
        "celery",
        "circusd",
        "gunicorn",
        "honcho",
        "httpd",
        "hypercorn",
        "monit",
        "nginx",
        "php-fpm",
        "pm2",
        "postgres",
        "puma",
        "runsv",
        "s6-supervise",
        "supervise",
        "supervisord",
        "uvicorn",
        "uwsgi",
    ]
)
_UNIT = re.compile(r"/([^/]+\.service)(?:/|$)", re.MULTILINE)
_OOM = re.compile(r"^\d+,\d+,(\d+),.*Killed process (\d+) \(([^)]*)\)")
#: What sends a signal without anybody calling kill().
_SENDERS = {
    "SIGABRT": "It called abort(), or a supervisor ended it, as Gunicorn does "
    "after a timeout.",
    "SIGALRM": "A timer of its own, alarm() or setitimer(), has run out.",
    "SIGBUS": "It crashed.",
    "SIGFPE": "It crashed.",
    "SIGHUP": "Its terminal was closed, or somebody sent it.",
    "SIGILL": "It crashed.",
    "SIGPIPE": "It wrote to a pipe that no process reads.",
    "SIGSEGV": "It crashed.",
    "SIGSYS": "It made a system call that a sandbox forbids.",
    "SIGXCPU": "It has used up its processor time (ulimit -t).",
    "SIGXFSZ": "It wrote a file beyond its limit (ulimit -f).",
}


def family_findings(process: Process, machine: Machine) -> Iterator[Finding]:
    """Yield what a kill would leave, and what would start it again."""
    below = descendants(process.pid, machine)
    if below:
        yield survivors_finding(below, name_of)
    yield from _restarted(process)


def descendants(pid: int, machine: Machine) -> list[int]:
    """Return the pids of the descendants of a process that are alive."""
    found: list[int] = []
    waiting = [pid]
    while waiting:
        children = machine.children(waiting.pop())
        waiting.extend(children)
        found.extend(child for child in children if _is_alive(child))
    return found


def _is_alive(pid: int) -> bool:
    entry = look_up(pid)
    return entry is not None and not entry.is_dead


def _restarted(process: Process) -> Iterator[Finding]:
    unit = _UNIT.search(process.read("cgroup"))
    if unit:
        yield finding(
            "restarted",
            f"It belongs to the systemd unit {unit[1]}, which may start it again.",
            f"cgroup: {unit[0].rstrip('/')}",
            do=f"Use systemctl stop {unit[1]}.",
            certain=False,
        )
    with suppress(GoneError):
        parent = Process(process.stat.parent)
        if SUPERVISORS & set(_words(parent)):
            yield finding(
                "restarted",
                "Its parent is a supervisor, which starts another process when this one "
                "ends.",
                f"parent: {name_of(parent.pid)}",
                do="Stop the supervisor instead: it stops its processes.",
                certain=False,
            )


def _words(process: Process) -> list[str]:
    """Return the names of a program and of the script that it runs."""
    words = process.command.replace(":", " ").split()[:3]
    return [process.stat.name, *map(os.path.basename, words)]


def death_findings(
    pid: int, status: ExitStatus, zombie: Process | None = None
) -> Iterator[Finding]:
    """Yield which signal killed a process, and what may have sent it."""
    name = status.signal_name
    if name is None:
        return
    if name == "SIGKILL" and (found := _killed_for_memory(pid, zombie)):
        yield found
        return
    sender = _SENDERS.get(name, "The system does not record the sender.")
    if name == "SIGKILL":
        sender += " No trace of the OOM killer was found."
    yield finding(
        "killed",
        f"It was killed by {name}. {sender}",
        str(status),
        do="Search for kill(), for a timeout such as that of subprocess.run(), and "
        "for a supervisor."
        if name not in _SENDERS
        else "Set faulthandler.enable() to see the line of a crash.",
    )


def _killed_for_memory(pid: int, zombie: Process | None) -> Finding | None:
    # A child that is gone began after its parent, this process.
    since = zombie or Process(os.getpid())
    oldest, is_read = math.inf, False
    with suppress(OSError):
        for line in _kernel_log():
            oldest = min(oldest, int(line.split(",")[2]))
            found = _OOM.match(line)
            if found and int(found[2]) == pid and _is_later(int(found[1]), since):
                where = " in its control group" if "cgroup" in line else ""
                fact = f"kernel log: {line.partition(';')[2]}"
                return _out_of_memory(where, fact, certain=zombie is not None)
        is_read = True
    # The counters of a group tell of any process since its beginning, so they count
    # only where the log does not: in a container, or if it has forgotten too much.
    if is_read and not _is_later(oldest, since) and _sees_all_pids():
        return None
    for folder in cgroups(since):
        for name in ("memory.events.local", "memory.events", "memory.oom_control"):
            killed = int(values_in(f"{folder}/{name}").get("oom_kill", "0"))
            if killed:
                fact = f"{folder}/{name}: oom_kill {killed}"
                return _out_of_memory(" in its control group", fact, certain=False)
    return None


def _out_of_memory(where: str, fact: str, *, certain: bool) -> Finding:
    return finding(
        "out-of-memory",
        f"The kernel killed it because there was no memory left{where}.",
        fact,
        do="Give it more memory (memory.max of its group), or let it use less.",
        certain=certain,
    )


def _sees_all_pids() -> bool:
    """Return whether pids here are those of the kernel's log: pid 2 is a kernel thread."""
    with suppress(GoneError):
        return Process(2).stat.name == "kthreadd"
    return False


def _is_later(microseconds: float, process: Process) -> bool:
    """Return whether a time since the start of the system is in a process's life."""
    return microseconds / 1e6 + 1 >= process.stat.started / os.sysconf("SC_CLK_TCK")


def _kernel_log() -> Iterator[str]:
    """Yield the records of the kernel's log; reading them leaves them there."""
    fd = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
    try:
        while True:
            yield os.read(fd, 8192).decode(errors="replace").splitlines()[0]
    except BlockingIOError:
        return
    finally:
        os.close(fd)
