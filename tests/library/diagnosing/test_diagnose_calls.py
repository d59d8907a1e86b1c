"""diagnose() reads each system call in which a process waits."""

import errno
import os
import platform
import re
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from support import find, python, wait_until

from process_terminate import diagnose
from process_terminate._diagnose import calls
from process_terminate._diagnose.reading import Thread

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's /proc")

IS_64_BIT = sys.maxsize > 2**32
MACHINE = os.uname().machine if sys.platform == "linux" and IS_64_BIT else ""

has_numbers = pytest.mark.skipif(
    MACHINE != "x86_64", reason="has the number of a system call"
)
#: The first two numbers of the kernel's version.
KERNEL = [*map(int, re.findall(r"\d+", platform.release())[:2])]


def rows(programs: dict[str, Any]) -> list[Any]:
    """Return the programs as parameters, with a mark where a number is called."""
    return [
        pytest.param(*row, id=name, marks=[has_numbers] * ("libc.syscall" in row[0]))
        for name, row in programs.items()
    ]


HEAD = """
import ctypes, os, select, signal, socket, sys, time
libc = ctypes.CDLL(None)
class Time(ctypes.Structure):
    _fields_ = [("seconds", ctypes.c_long), ("part", ctypes.c_long)]
minute = ctypes.byref(Time(60, 0))
r, w = os.pipe()
def child():
    return os.fork() or time.sleep(60)
"""
#: A program, a finding, and a pattern of its text and facts.
PROGRAMS = {
    "waitid": (
        "os.waitid(os.P_PID, child(), os.WEXITED)",
        "waits-for-a-child",
        "sleeps",
    ),
    "waitid of a pidfd": (
        "os.waitid(os.P_PIDFD, os.pidfd_open(child()), os.WEXITED)",
        "waits-for-a-child",
        "sleeps",
    ),
    "poll of a pidfd": (
        "p = select.poll(); p.register(os.pidfd_open(child())); p.poll()",
        "waits-for-a-child",
        "pidfd of pid",
    ),
    "pause": ("signal.pause()", "waits-for-a-signal", "pause: any"),
    "sigwait": (
        "signal.sigwait([signal.SIGUSR1, signal.SIGUSR2])",
        "waits-for-a-signal",
        "rt_sigtimedwait: SIGUSR1, SIGUSR2",
    ),
    "sigtimedwait": (
        "signal.sigtimedwait([signal.SIGRTMIN + 1], 60)",
        "waits-for-a-signal",
        r"SIGRTMIN\+1.*timeout: ",
    ),
    "shell that waits": (
        "os.execvp('dash', ['dash', '-c', 'sleep 60 & wait'])",
        "waits-for-a-signal",
        "rt_sigsuspend: any",
    ),
    "poll without files or a limit": (
        "select.poll().poll()",
        "waits-for-a-signal",
        "poll: any",
    ),
    "poll without files": ("select.poll().poll(60_000)", "waits-for-time", "poll: "),
    "ppoll with a limit": (
        "libc.ppoll(None, 0, minute, None)",
        "waits-for-time",
        "1 min 0 s at most",
    ),
    "select with a limit": (
        "select.select([r], [], [], 60)",
        "waits-for-a-pipe",
        "timeout: ",
    ),
    "select to write": (
        "os.set_blocking(w, False)\n"
        "try:\n    while True: os.write(w, bytes(4096))\n"
        "except BlockingIOError: pass\n"
        "select.select([], [w], [])",
        "waits-to-write",
        "pipe that is full",
    ),
    "epoll_pwait2": (
        "e = select.epoll(); e.register(r, select.EPOLLIN)\n"
        "libc.syscall(441, e.fileno(), bytes(64), 1, minute, None, 0)",
        "waits-for-events",
        "timeout: 1 min 0 s",
    ),
    "epoll to write": (
        "a, b = socket.socketpair(); a.setblocking(False)\n"
        "try:\n    while True: a.send(bytes(4096))\n"
        "except BlockingIOError: pass\n"
        "e = select.epoll(); e.register(a, select.EPOLLOUT); e.poll()",
        "waits-for-events",
        "socket:",
    ),
    "nanosleep": (
        "libc.syscall(35, minute, None)",
        "waits-for-time",
        "1 min 0 s at most",
    ),
    "clock_nanosleep": (
        "libc.clock_nanosleep(1, 0, minute, None)",
        "waits-for-time",
        "1 min 0 s at most",
    ),
    "read of an eventfd": (
        "os.read(os.eventfd(0), 8)",
        "waits-for-events",
        "eventfd",
    ),
    "sendfile": (
        "file = os.open(sys.executable, os.O_RDONLY)\n"
        "a, b = socket.socketpair()\n"
        "while True: os.sendfile(a.fileno(), file, 0, 1 << 20)",
        "waits-to-write",
        "socket that is full",
    ),
    "more files than are shown": (
        "select.select([os.dup(r) for _ in range(9)], [], [])",
        "waits-for-events",
        "more",
    ),
    "first thread that has ended": (
        "import threading\n"
        "threading.Thread(target=time.sleep, args=[60]).start()\n"
        "libc.pthread_exit(None)",
        "first-thread-gone",
        "",
    ),
    "pipe of its own": ("os.read(r, 1)", "own-pipe", "certain=True"),
    "socket without a known peer": (
        "socket.socket(type=socket.SOCK_DGRAM).recv(1)",
        "waits-for-a-socket",
        "no process that can be seen can write.*Find out why the other end sends",
    ),
    "idle server": (
        "socket.create_server(('127.0.0.1', 0)).accept()",
        "waits-for-connections",
        r"127\.0\.0\.1:",
    ),
    "event loop": (
        "import asyncio; asyncio.run(asyncio.sleep(60))",
        "waits-for-events",
        "",
    ),
    "lock that is its own": (
        "import threading; lock = threading.Lock(); lock.acquire(); lock.acquire()",
        "deadlock",
        "",
    ),
    "other thread": (
        "import threading\n"
        "threading.Thread(target=time.sleep, args=[60]).start()\n"
        "threading.Event().wait()",
        "waits-for-a-thread",
        r"\(1 more run\).*sleeps",
    ),
    "child": (
        "import subprocess; subprocess.run(['sleep', '60'])",
        "waits-for-a-child",
        r"pid (\d+)\..*pid \1 \(sleep 60\): sleeps",
    ),
    "sleep": ("time.sleep(60)", "waits-for-time", "certain=True"),
    "loop": ("while True: pass", "computing", ""),
    "handler": (
        "signal.signal(signal.SIGTERM, print); time.sleep(60)",
        "sigterm-handled",
        "",
    ),
    "handler of a busy thread": (
        "signal.signal(signal.SIGTERM, print)\nwhile True: pass",
        "handler-delayed",
        "certain=False",
    ),
    "pipe of its own beside a timer": (
        "signal.signal(signal.SIGALRM, print); os.read(r, 1)",
        "own-pipe",
        "certain=False",
    ),
    "any child": ("child(); os.wait()", "waits-for-a-child", "any of its 1 children"),
}
if KERNEL < [5, 11]:
    del PROGRAMS["epoll_pwait2"]


@pytest.mark.parametrize(("code", "finding", "facts"), rows(PROGRAMS))
def test_finding_has_its_facts(code: str, finding: str, facts: str) -> None:
    with python(HEAD + code) as program:
        # Its child may not wait yet, so the facts come later than the finding.
        find(program, finding, facts)
        assert diagnose(program).get("zombie") is None


#: A program that the kernel stops and continues, and the finding of its wait.
RESTARTED = {
    "poll": ("p = select.poll(); p.register(r, 1); p.poll(60_000)", "waits-for-a-pipe"),
    "poll without a limit": (
        "p = select.poll(); p.register(r, 1); p.poll()",
        "waits-for-a-pipe",
    ),
    "select": ("select.select([r], [], [], 60)", "waits-for-a-pipe"),
    "epoll": (
        "e = select.epoll(); e.register(r, 1); e.poll(60)",
        "waits-for-events",
    ),
    "lock": (
        "import threading; threading.Event().wait(60)",
        "waits-for-a-thread",
    ),
    "semaphore": (
        "import multiprocessing; multiprocessing.Semaphore(0).acquire(timeout=60)",
        "waits-for-a-semaphore",
    ),
    "sleep": ("time.sleep(60)", "waits-for-time"),
    "nanosleep": ("libc.syscall(35, minute, None)", "waits-for-time"),
    "clock_nanosleep": ("libc.clock_nanosleep(1, 0, minute, None)", "waits-for-time"),
}


@pytest.mark.parametrize(("code", "finding"), rows(RESTARTED))
def test_wait_is_found_again_after_a_stop(code: str, finding: str) -> None:
    """The kernel restarts some of them by restart_syscall(2)."""
    with python(HEAD + code) as program:
        find(program, finding)
        program.send_signal(signal.SIGSTOP)
        wait_until(lambda: diagnose(program).state == "stopped")
        program.send_signal(signal.SIGCONT)
        wait_until(lambda: diagnose(program).state == "sleeping")
        found = diagnose(program)
        if Path(f"/proc/{program.pid}/wchan").read_text("ascii") == "0":
            assert found.get(finding) or "after a stop" in str(found.unseen)
            pytest.skip("this kernel does not tell in which call a process is")
        assert found.get(finding), found
        assert found.unseen == ()


@has_numbers
def test_call_that_is_unknown_is_named_as_unseen() -> None:
    with python(f"{HEAD}os.splice(r, os.pipe()[1], 1)") as program:
        wait_until(lambda: "number 275" in str(diagnose(program).unseen))


def decode(
    number: int, *args: int, state: str = "S", memory: bytes = b"", file: str = ""
) -> Any:
    """Return what is read of a thread in a system call."""
    process: Any = SimpleNamespace(
        machine=lambda _: "x86_64", memory=lambda *_: memory, read=lambda _: file
    )
    call = (number, *args, *(0,) * (6 - len(args)))
    return calls.decode(process, Thread(1, state, 0, 0, 0, call))


#: Where Linux says the numbers of its system calls; Debian: linux-libc-dev.
HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}


@pytest.mark.parametrize("machine", HEADERS)
def test_numbers_of_calls_are_those_of_the_kernel(machine: str) -> None:
    if not HEADERS[machine].exists():
        pytest.skip(f"needs {HEADERS[machine]}")
    lines = re.findall(
        r"#define __NR(?:3264)?_(\w+) (\d+)", HEADERS[machine].read_text()
    )
    known = {name: int(number) for name, number in lines}
    ours = {name: number for number, name in calls._NUMBERS[machine].items()}
    assert ours == {name: known[name] for name in ours}


SECONDS = struct.pack("=qq", 90, 500_000_000)


@pytest.mark.parametrize(
    ("call", "limit"),
    [
        (("poll", 0, 0, 90_500), 90.5),
        (("poll", 0, 0, 2**32 - 1), None),
        (("poll", 0, 0, 0), 0.0),
        (("ppoll", 0, 0, 4096), 90.5),
        (("ppoll", 0, 0, 0), None),
        (("select", 0, 0, 0, 0, 4096), 590.0),
        (("pselect6", 0, 0, 0, 0, 4096), 90.5),
        (("epoll_wait", 3, 0, 1, 90_500), 90.5),
        (("epoll_pwait", 3, 0, 1, 2**32 - 1), None),
        (("epoll_wait", 3, 0, 1, 0), 0.0),
        (("epoll_pwait2", 3, 0, 1, 4096), 90.5),
        (("futex", 4096, 0, 0, 4096), 90.5),
        (("futex", 4096, 0, 0, 0), None),
        (("rt_sigtimedwait", 0, 0, 4096), 90.5),
        (("nanosleep", 4096), 90.5),
        (("clock_nanosleep", 1, 0, 4096), 90.5),
    ],
)
def test_limit_of_a_wait_is_in_seconds(
    call: tuple[Any, ...], limit: float | None
) -> None:
    """Timeval has microseconds, and 500 seconds of them here."""
    name, *args = call
    number = next(n for n, known in calls._NUMBERS["x86_64"].items() if known == name)
    assert decode(number, *args, memory=SECONDS).limit == limit


@pytest.mark.parametrize("name", ["CLOCK_MONOTONIC", "CLOCK_REALTIME"])
def test_limit_at_a_time_of_a_clock_is_what_is_left_of_it(name: str) -> None:
    clock = getattr(time, name)
    at = struct.pack("=qq", int(time.clock_gettime(clock)) + 1000, 0)
    realtime = calls._FUTEX_REALTIME if name == "CLOCK_REALTIME" else 0
    wait = decode(202, 4096, 9 | realtime, 0, 4096, memory=at)
    assert 900 < wait.limit <= 1000
    sleep = decode(230, clock, calls._TIMER_ABSTIME, 4096, memory=at)
    assert 900 < sleep.limit <= 1000
    assert 900 < sleep.until - time.time() <= 1000
    past = struct.pack("=qq", 1, 0)
    assert decode(230, clock, calls._TIMER_ABSTIME, 4096, memory=past).limit == 0


def test_memory_that_cannot_be_read_is_a_limit_that_is_unknown() -> None:
    assert decode(230, 1, calls._TIMER_ABSTIME, 4096).limit == 0.0
    assert decode(230, 1, calls._TIMER_ABSTIME, 4096).until is None
    assert decode(35, 0).limit is None


def test_child_of_waitid_is_that_of_the_pidfd() -> None:
    assert decode(247, os.P_PIDFD, 3, file="pos:\t0\nPid:\t77\n").child == 77
    assert decode(247, os.P_PIDFD, 3, file="pos:\t0\nPid:\t-1\n").child == 0
    assert decode(247, os.P_PID, 77).child == 77


def test_call_that_does_not_wait_is_unknown() -> None:
    assert decode(202, 4096, 1).kind == "unknown"  # FUTEX_WAKE
    assert decode(39).kind == "unknown"  # getpid
    assert decode(247, 3).child == 0  # waitid of a pidfd that is not open any more
    assert decode(247, 0).child == 0  # waitid of any child
    assert decode(257).kind == "unknown"  # openat, of a file on a slow disk
    assert decode(219).kind == "unknown"  # restarted, and the kernel hides where it is


def program_for_i386(path: Path) -> Path:
    """Write a program for i386 that sleeps, without a compiler: see elf(5)."""
    start = 0x8048000 + 84
    time_at = struct.pack("<I", start + 16)
    # In a loop: eax = nanosleep, ebx = the time, ecx = 0, int 0x80.
    code = b"\xb8\xa2\0\0\0\xbb" + time_at + b"\x31\xc9\xcd\x80\xeb\xf0"
    code += struct.pack("<ii", 60, 0)
    head = b"\x7fELF\1\1\1".ljust(16, b"\0") + struct.pack(
        "<HHIIIIIHHHHHH", 2, 3, 1, start, 52, 0, 0, 52, 32, 1, 0, 0, 0
    )
    size = 84 + len(code)
    segment = struct.pack("<8I", 1, 0, start - 84, start - 84, size, size, 5, 4096)
    path.write_bytes(head + segment + code)
    path.chmod(0o755)
    return path


def test_calls_of_a_32_bit_program_are_unseen_and_not_read_as_others(
    tmp_path: Path,
) -> None:
    """After a stop it is in call 0: restart_syscall(), or read() of 64 bits."""
    try:
        program = subprocess.Popen([program_for_i386(tmp_path / "program")])
    except OSError as error:
        if error.errno != errno.ENOEXEC:
            raise
        pytest.skip("this kernel runs no programs for i386")
    with program:
        call = Path(f"/proc/{program.pid}/syscall")
        try:
            wait_until(lambda: call.read_text("ascii").startswith("162 "))
            program.send_signal(signal.SIGSTOP)
            wait_until(lambda: psutil.Process(program.pid).status() == "stopped")
            program.send_signal(signal.SIGCONT)
            wait_until(lambda: call.read_text("ascii").startswith("0 "))
            found = diagnose(program)
        finally:
            program.kill()
    known = "only those of 64-bit programs for x86-64 and ARM64 are known"
    assert [one.name for one in found.findings if one.name.startswith("waits")] == []
    assert found.unseen == (f"the system calls that its threads wait in: {known}",)


@has_numbers
@pytest.mark.skipif(KERNEL < [5, 16], reason="/proc/PID/wchan is empty")
@pytest.mark.parametrize(("mode", "missing"), [("r", "writing"), ("w", "reading")])
def test_open_of_a_named_pipe_waits_for_the_other_end(
    tmp_path: Path, mode: str, missing: str
) -> None:
    os.mkfifo(tmp_path / "pipe")
    path = os.fspath(tmp_path / "pipe")
    with python(f"open({path!r}, {mode!r})") as program:
        found = find(program, "waits-to-open", missing)
        assert found.facts == (f"openat: {path}",)
