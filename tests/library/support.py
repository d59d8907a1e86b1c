"""What the tests of the library share: kinds of processes, and how to watch them."""

import multiprocessing
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import psutil
import pytest
import workers

from process_terminate import Diagnosis, ExitStatus

FOLDER = Path(__file__).parent
METHODS = tuple(multiprocessing.get_all_start_methods())
KINDS = (*METHODS, "subprocess", "psutil", "psutil.Popen")
#: Seconds for what takes milliseconds on an idle machine.
DEADLINE = 30.0

TERMINATED, KILLED, UNKNOWN = ExitStatus(-15), ExitStatus(-9), ExitStatus(None)

#: What a shell does: it prints a line when it is ready.
REST = "echo; exec sleep 60"
IGNORE = "trap '' TERM; echo; exec sleep 60"
TREE = "trap '' TERM; sleep 60 & echo; wait"

_PROGRAM = """
import sys, workers
from multiprocessing.connection import Connection
getattr(workers, sys.argv[1])(Connection(int(sys.argv[2])))
"""
_NO_PIDFDS = "import os, signal; del os.pidfd_open, signal.pidfd_send_signal\n"


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
    """Start a function of workers.py as a process of some kind."""
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
                pass_fds=[fd],
                env=environment(),
            )
    shown = psutil.Process(own.pid) if kind == "psutil" else own
    worker = Worker(shown, own.pid, receiver, own)
    assert worker.report() == "ready"
    return worker


def is_running(pid: int) -> bool:
    """Return whether there is such a process, and it is no zombie."""
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


def skip_if_unseen(found: Diagnosis) -> None:
    """Skip a test that needs system calls of a machine with unknown numbers."""
    if any("the system calls" in text for text in found.unseen):
        pytest.skip("the numbers of the system calls here are unknown")


def wait_until(condition: Callable[[], object]) -> None:
    """Wait for something that the system reports by no event."""
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def run(program: str, *arguments: str, options: tuple[str, ...] = ()) -> str:
    """Run a program of its own; return what it prints."""
    code = textwrap.dedent(program)
    if os.environ.get("WITHOUT_PIDFDS"):
        code = _NO_PIDFDS + code
    done = subprocess.run(
        [sys.executable, *options, "-c", code, *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=DEADLINE * 2,
        env=environment(),
    )
    assert (done.stderr, done.returncode) == ("", 0), done.stderr
    return done.stdout


def run_with_hidepid(code: str, hidepid: int) -> str:
    """Run some Python where /proc hides others; return what it prints. Needs root."""
    mount = f'mount -t proc -o hidepid={hidepid} proc /proc && exec "$@"'
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", mount, "sh", sys.executable, "-B", "-c", code],
        check=False,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        env=environment(),
    )
    if "permission denied" in done.stderr.lower():
        pytest.skip("another user cannot read the library here")
    assert done.stderr == ""
    return done.stdout


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
