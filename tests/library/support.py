"""What the tests of the library share: kinds of processes, and how to watch them."""

import multiprocessing
import os
import re
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, TypeVar

import psutil
import pytest
import workers

from process_terminate import ExitStatus, Finding, diagnose
from process_terminate._process.handle import Handle

Result = TypeVar("Result")

FOLDER = Path(__file__).parent
METHODS = tuple(multiprocessing.get_all_start_methods())
IS_WINDOWS = sys.platform == "win32"
#: The fastest start method.
FORK = "spawn" if IS_WINDOWS else "fork"
KINDS = (*METHODS, "subprocess", "psutil", "psutil.Popen")
POOLS: dict[str, Callable[[Any], Any]] = {
    "Pool": lambda context: context.Pool(2),
    "ProcessPoolExecutor": lambda context: ProcessPoolExecutor(2, mp_context=context),
}
each_pool = pytest.mark.parametrize("make", POOLS.values(), ids=POOLS)
#: No process has it.
NO_PID = 0x7FFFFFFF
#: Seconds for what takes milliseconds on an idle machine.
DEADLINE = 30.0

#: On Windows, both are TerminateProcess with 15.
TERMINATED, KILLED = (ExitStatus(15 if IS_WINDOWS else -n) for n in (15, 9))
UNKNOWN = ExitStatus(None)

#: A mark for tests that an emulator such as qemu-user disturbs: `diagnose()` sees its
#: threads, its descriptors and its name in each process.
_ARCH = Path("/proc/sys/kernel/arch")
needs_pidfds = pytest.mark.skipif(
    not hasattr(os, "pidfd_open"), reason="this run is without pidfds"
)
not_emulated = pytest.mark.skipif(
    sys.platform == "linux"
    and _ARCH.exists()
    and os.uname().machine not in {_ARCH.read_text().strip(), "i686"},
    reason="an emulator is a part of each process",
)

IGNORE = workers.IGNORE
REST = workers.REST
TREE = "trap '' TERM; sleep 60 & echo; wait"

_PROGRAM = """
import sys, workers
from multiprocessing import connection
Pipe = getattr(connection, "PipeConnection", connection.Connection)
getattr(workers, sys.argv[1])(Pipe(int(sys.argv[2])))
"""
_NO_PIDFDS = "import os, signal; del os.pidfd_open, signal.pidfd_send_signal\n"
_AS_NOBODY = """
import ctypes, os, psutil, subprocess, workers
from process_terminate import *
os.setgroups([]); os.setgid(65534); os.setuid(65534)
"""
#: Begins a command that runs as process 1 of a new pid namespace.
NAMESPACE = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]


def not_on_windows(reason: str) -> pytest.MarkDecorator:
    """Return a marker of tests that cannot run on Windows, and why."""
    return pytest.mark.skipif(IS_WINDOWS, reason=reason)


posix_signals = not_on_windows("sends signals that Windows lacks")
reaps = not_on_windows("needs zombies or os.waitid(), which Windows lacks")
forks = not_on_windows("needs fork or forkserver, which Windows lacks")


def environment() -> dict[str, str]:
    """Return the environment of a program that uses the library and the workers."""
    paths = [str(FOLDER.parents[1] / "src"), str(FOLDER)]
    if present := os.environ.get("PYTHONPATH"):  # Where psutil may be.
        paths.append(present)
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


@dataclass
class Worker:
    """A process, the object that a caller has of it, and what it reports."""

    process: Any
    pid: int
    reports: Connection
    own: Any

    def code(self) -> int | None:
        """Return how it ended, by its own object."""
        if isinstance(self.own, BaseProcess):
            return self.own.exitcode
        code: int | None = self.own.poll()
        return code

    def report(self) -> Any:
        """Return what it reports next."""
        assert self.reports.poll(DEADLINE)
        return self.reports.recv()

    def end(self) -> None:
        """Kill and reap it, by its object."""
        with suppress(ValueError, psutil.NoSuchProcess):  # It is closed, so it is dead.
            self.own.kill()
            join = getattr(self.own, "join", None) or self.own.wait
            join(DEADLINE)
        self.reports.close()


Start = Callable[..., Worker]
Shell = Callable[[str], "subprocess.Popen[bytes]"]


def new_worker(kind: str, task: str = "rest") -> Worker:
    """Start a function of workers.py as a process of some kind.

    Skip the test if Windows cannot do it.
    """
    if IS_WINDOWS and (why := workers.NOT_ON_WINDOWS.get(task)):
        pytest.skip(why)
    if IS_WINDOWS and kind in {"fork", "forkserver"}:
        pytest.skip(f"Windows has no start method {kind}")
    receiver, sender = multiprocessing.Pipe(duplex=False)
    own: Any
    with sender:
        if kind in METHODS:
            context: Any = multiprocessing.get_context(kind)
            own = context.Process(target=getattr(workers, task), args=(sender,))
            own.start()
        else:
            fd = sender.fileno()
            popen = psutil.Popen if kind == "psutil.Popen" else subprocess.Popen
            own = popen(
                [sys.executable, "-c", _PROGRAM, task, str(fd)],
                **inherited(fd),
                env=environment(),
            )
    shown = psutil.Process(own.pid) if kind == "psutil" else own
    worker = Worker(shown, own.pid, receiver, own)
    assert worker.report() == "ready"
    return worker


def inherited(fd: int) -> dict[str, Any]:
    """Return the options of Popen that let a child have a pipe, or its handle."""
    if sys.platform != "win32":
        return {"pass_fds": [fd]}
    os.set_handle_inheritable(fd, True)
    startup = subprocess.STARTUPINFO(lpAttributeList={"handle_list": [fd]})
    return {"startupinfo": startup}


def is_running(pid: int) -> bool:
    """Return whether there is such a process, and it is no zombie."""
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


def wait_until(condition: Callable[[], Result]) -> Result:
    """Wait for something that the system reports by no event; return it."""
    end = time.monotonic() + DEADLINE
    while not (found := condition()):
        assert time.monotonic() < end
        time.sleep(0.005)
    return found


def find(process: Any, name: str, pattern: str = "") -> Finding:
    """Return a finding of diagnose() as soon as it is there and matches.

    Skip the test if it needs system calls of a machine with unknown numbers.
    """
    end = time.monotonic() + DEADLINE
    while True:
        found = diagnose(process)
        finding = found.get(name)
        if finding and re.search(pattern, repr(finding)):
            return finding
        if any("the system calls" in text for text in found.unseen):
            pytest.skip("the numbers of the system calls here are unknown")
        assert time.monotonic() < end, f"{name} {pattern!r} is not in:\n{found}"
        time.sleep(0.01)


@contextmanager
def python(code: str, **options: Any) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a program of Python; kill it and its children at the end."""
    with subprocess.Popen([sys.executable, "-c", code], **options) as program:
        try:
            yield program
        finally:
            if program.poll() is None:
                children = psutil.Process(program.pid).children()
                program.kill()
                for child in children:
                    child.kill()


def completed(
    *command: str | Path, **options: Any
) -> "subprocess.CompletedProcess[str]":
    """Run a program to its end."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    options = {**pipes, "env": environment(), **options}
    return subprocess.run(
        command, check=False, text=True, timeout=DEADLINE * 2, **options
    )


def succeeds(*command: str) -> bool:
    """Return whether there is such a program, and it exits with 0."""
    with suppress(FileNotFoundError):
        return completed(*command).returncode == 0
    return False


def hiding(hidepid: int | str) -> list[str]:
    """Return the beginning of a command that has a /proc which hides others."""
    mount = f'mount -t proc -o hidepid={hidepid} proc /proc && exec "$@"'
    return ["unshare", "-m", "sh", "-c", mount, "sh"]


as_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root"
)
as_process_1 = pytest.mark.skipif(
    not succeeds(*NAMESPACE, "true"), reason="unshare --pid is not permitted here"
)
can_mount = pytest.mark.skipif(
    not succeeds(*hiding(1), "true"), reason="mounting /proc is not permitted here"
)


def run(
    program: str,
    *arguments: str,
    options: Sequence[str] = (),
    prefix: Sequence[str] = (),
    code: int = 0,
) -> str:
    """Run a program of its own, which exits with a code; return what it prints."""
    source = textwrap.dedent(program)
    if os.environ.get("WITHOUT_PIDFDS"):
        source = _NO_PIDFDS + source
    done = completed(*prefix, sys.executable, *options, "-c", source, *arguments)
    assert (done.stderr, done.returncode) == ("", code), done.stderr
    return done.stdout


def run_as_nobody(program: str, prefix: Sequence[str] = ()) -> str:
    """Run a program as a user without rights; return what it prints. Needs root."""
    source = _AS_NOBODY + textwrap.dedent(program)
    done = completed(*prefix, sys.executable, "-B", "-c", source, cwd="/")
    if "permission denied" in done.stderr.lower():
        pytest.skip("another user cannot read the library here")
    assert done.returncode == 0, done.stderr
    return done.stdout


def unreaped(script: str) -> "subprocess.Popen[bytes]":
    """Run a shell to its end; return it dead, with a status that waits for wait()."""
    process = subprocess.Popen(["/bin/sh", "-c", script])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    return process


def fail(error: BaseException | type[BaseException]) -> Any:
    """Return a function that raises."""

    def function(*_: object, **__: object) -> None:
        raise error

    return function


def forbid(patch: pytest.MonkeyPatch, *pids: int) -> None:
    """Let some processes run as another user, so to speak."""
    send = Handle.send

    def send_unless_forbidden(handle: Handle, number: int) -> None:
        handle.forbidden = handle.pid in pids
        if not handle.forbidden:
            send(handle, number)

    patch.setattr(Handle, "send", send_unless_forbidden)


def closed() -> BaseProcess:
    """Return a process that is closed."""
    process = multiprocessing.Process(name="one")
    process.close()
    return process


def servers() -> set[int | None]:
    """Return the pids of the servers that multiprocessing keeps for this process."""
    return {
        forkserver._forkserver._forkserver_pid,  # type: ignore[attr-defined]
        resource_tracker._resource_tracker._pid,  # type: ignore[attr-defined]
    }


def stop_servers() -> None:
    """Stop the forkserver, so that the next test starts a new one."""
    forkserver._forkserver._stop()  # type: ignore[attr-defined]


def descendants() -> set[psutil.Process]:
    """Return the descendants of this process, zombies too."""
    if sys.platform != "linux":
        return set(psutil.Process().children(recursive=True))
    found = set()
    waiting = [os.getpid()]
    while waiting:
        for file in Path(f"/proc/{waiting.pop()}/task").glob("*/children"):
            with suppress(OSError, psutil.NoSuchProcess):
                for pid in map(int, file.read_text().split()):
                    found.add(psutil.Process(pid))
                    waiting.append(pid)
    return found
