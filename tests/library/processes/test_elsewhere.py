"""Windows and macOS: what needs no signal and no shell, and their paths on Linux.

On Linux the library takes the paths of the other system, with SIGKILL in place of
TerminateProcess. This tests what is called and returned, not when things happen.
"""

import ctypes
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psutil
import pytest
from support import DEADLINE, KILLED, TERMINATED, UNKNOWN, run, wait_until

from process_terminate import (
    ExitStatus,
    kill,
    no_orphans,
    stop,
    stop_all,
    stop_pool,
    stop_tree,
    terminate,
)
from process_terminate._process import ending, handle, table
from process_terminate._tree import ending as tree_ending
from process_terminate._tree import member, subreaper, tree

HERE = sys.platform
SLEEP = [sys.executable, "-c", "import time; print(flush=True); time.sleep(60)"]
PARENT = [
    sys.executable,
    "-c",
    f"import subprocess, time; p = subprocess.Popen({SLEEP!r}); time.sleep(60)",
]
SYSTEMS = ["win32", "darwin"] if HERE == "linux" else [HERE]


def stopped(system: str) -> ExitStatus:
    """Return how a process ends there that is stopped."""
    if system != "win32":
        return TERMINATED
    return ExitStatus(15) if HERE == "win32" else KILLED


def wait_as_on_windows(process: psutil.Process, timeout: float) -> int | None:
    """Wait for the end of a process, and do not reap it."""
    end = time.monotonic() + timeout
    while True:
        try:
            options = os.WEXITED | os.WNOHANG | os.WNOWAIT
            if found := os.waitid(os.P_PID, process.pid, options):
                return -found.si_status
        except ChildProcessError:
            entry = table._read_stat(process.pid)
            if entry is None or entry.is_dead:
                return None
        if time.monotonic() >= end:
            raise psutil.TimeoutExpired(timeout)
        time.sleep(0.001)


def cdll_as_on_windows(name: str, **_: object) -> None:
    """Open no library; there is none without a name."""
    if name is None:
        raise TypeError("argument of type 'NoneType' is not iterable")


@pytest.fixture(params=SYSTEMS)
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The system whose paths the library takes."""
    if request.param != HERE:
        monkeypatch.setattr(sys, "platform", request.param)
        monkeypatch.setattr(subreaper, "AVAILABLE", False)
    if request.param == "win32" != HERE:
        for module in (ending, tree_ending):
            monkeypatch.setattr(module, "SIGKILL", 15)
            monkeypatch.setattr(module, "SIGCONT", handle._RESUME)
        monkeypatch.setattr(member, "SIGSTOP", handle._SUSPEND)
        monkeypatch.setattr(psutil.Process, "terminate", psutil.Process.kill)
        monkeypatch.setattr(psutil.Process, "wait", wait_as_on_windows)
        monkeypatch.setattr(ctypes, "CDLL", cdll_as_on_windows)
    return str(request.param)


@pytest.fixture
def popen() -> Iterator[Callable[[list[str]], Any]]:
    """Starts a program, which is ready when a process of it has written."""
    started: list[Any] = []

    def start(command: list[str]) -> Any:
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE))
        assert started[-1].stdout
        started[-1].stdout.readline()
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait(DEADLINE)
        process.stdout.close()


WORKERS: dict[str, Callable[[Any], Any]] = {
    "subprocess": lambda popen: popen(SLEEP),
    "psutil": lambda popen: psutil.Process(popen(SLEEP).pid),
    "psutil.Popen": lambda _: psutil.Popen(SLEEP),
}


@pytest.mark.parametrize("make", WORKERS.values(), ids=WORKERS)
@pytest.mark.parametrize("call", [stop, lambda p: stop_tree(p)[0].status])
def test_stop_returns_how_the_process_ended_elsewhere(
    make: Callable[[Any], Any],
    call: Callable[[Any], ExitStatus],
    system: str,
    popen: Any,
) -> None:
    process = make(popen)
    assert call(process) == stopped(system)
    assert call(process) in (stopped(system), UNKNOWN)  # psutil may find none now.


def test_stop_of_a_worker_elsewhere(system: str, monkeypatch: Any) -> None:
    with monkeypatch.context() as patch:  # It starts on the system that there is.
        patch.setattr(sys, "platform", HERE)
        context = multiprocessing.get_context("spawn")
        worker = context.Process(target=time.sleep, args=(60,))
        worker.start()
    assert stop_all([worker, worker]) == [stopped(system)] * 2
    assert worker.exitcode == stopped(system).code


def test_stop_tree_elsewhere_ends_each_process_at_once(
    system: str, popen: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows may not show that a process is suspended, so nothing waits for it."""
    looks: list[int] = []

    def all_pids() -> list[int]:
        looks.append(1)
        return table.all_pids()

    monkeypatch.setattr(tree, "all_pids", all_pids)
    root = popen(PARENT)
    (child,) = psutil.Process(root.pid).children()
    with monkeypatch.context() as patch:
        if system == "win32":
            patch.setattr(psutil.Process, "status", lambda _: psutil.STATUS_RUNNING)
        found = stop_tree(root)
    assert [process.pid for process in found] == [root.pid, child.pid]
    assert found[0].status == stopped(system)
    if system == "win32":
        assert found[1].status in (
            stopped(system),
            UNKNOWN if HERE == "linux" else None,
        )
    wait_until(lambda: not child.is_running() or child.status() == "zombie")
    assert len(looks) < 20


@pytest.mark.usefixtures("system")
def test_pid_elsewhere_is_not_looked_up_among_threads_of_linux() -> None:
    """On Wine a Windows program can read the /proc of Linux."""
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    try:
        assert table.process_of(thread.native_id or 0) == thread.native_id
    finally:
        done.set()
        thread.join(DEADLINE)


#: Starts a chain of three processes, itself with them.
CHAIN = [
    sys.executable,
    "-c",
    f"import subprocess, time; p = subprocess.Popen({PARENT!r}); time.sleep(60)",
]


def test_stop_tree_elsewhere_finds_the_children_of_children(
    system: str, popen: Any
) -> None:
    root = popen(CHAIN)
    below = psutil.Process(root.pid).children(recursive=True)
    found = stop_tree(root)
    assert [process.pid for process in found] == [root.pid, *(p.pid for p in below)]
    assert len(found) == 3
    assert found[0].status == stopped(system)
    wait_until(lambda: all(not p.is_running() or p.status() == "zombie" for p in below))


@pytest.mark.parametrize("code", [0, 3])
def test_stop_tree_elsewhere_of_a_process_that_has_exited_sends_nothing(
    code: int,
) -> None:
    with subprocess.Popen([sys.executable, "-c", f"raise SystemExit({code})"]) as root:
        root.wait(DEADLINE)
    (found,) = stop_tree(root)
    assert (found.signal, found.status) == (None, ExitStatus(code))


def test_stop_tree_elsewhere_stops_what_a_worker_has_started() -> None:
    context = multiprocessing.get_context("spawn")
    worker = context.Process(target=subprocess.call, args=[PARENT])
    worker.start()
    root = psutil.Process(worker.pid)
    wait_until(lambda: len(root.children(recursive=True)) >= 2)
    below = root.children(recursive=True)
    found = stop_tree(worker)
    assert {process.pid for process in below} < {process.pid for process in found}
    assert worker.exitcode == stopped(HERE).code
    wait_until(lambda: all(not p.is_running() or p.status() == "zombie" for p in below))


def test_stop_tree_elsewhere_names_no_signal_that_the_system_lacks(
    popen: Any,
) -> None:
    found = stop_tree(popen(PARENT))
    number = signal.SIGTERM  # Windows has no other that stops a process.
    assert [process.signal for process in found] == [number, number]


def test_stop_pool_elsewhere_returns_how_the_workers_ended() -> None:
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        assert stop_pool(pool) == [stopped(HERE)] * 2


def test_windows_has_one_first_signal(system: str, popen: Any) -> None:
    process = popen(SLEEP)
    if system == "win32":
        with pytest.raises(ValueError, match="must be SIGTERM on Windows, got SIGINT"):
            stop(process, signal=2)
        assert process.poll() is None
    stop(process)


def test_no_orphans_elsewhere_says_that_it_is_not_there(system: str) -> None:
    needs = "needs job objects" if system == "win32" else "needs Linux or Windows"
    if system != "win32" or HERE != "win32":
        with pytest.raises(RuntimeError, match=needs):
            no_orphans().__enter__()


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (-15, "terminated by TerminateProcess (-15)"),
        (-9, f"killed by {'signal 9' if HERE == 'win32' else 'SIGKILL'} (9)"),
        (143, "exited with 143"),
    ],
)
def test_status_on_windows_tells_of_no_shell(
    system: str, code: int, sentence: str
) -> None:
    if system == "win32":
        assert str(ExitStatus(code)) == sentence
    else:
        assert "shell" in str(ExitStatus(code))


@pytest.mark.parametrize("call", [stop, terminate, kill])
def test_wrong_process_is_refused(call: Callable[[Any], object]) -> None:
    with pytest.raises(TypeError, match="takes a multiprocessing"):
        call(None)
    with pytest.raises(ValueError, match="was not started; call start"):
        call(multiprocessing.get_context("spawn").Process())


def test_library_can_be_imported_without_ctypes() -> None:
    program = """
        import subprocess, sys
        sys.modules["_ctypes"] = None
        import process_terminate, process_terminate.aio
        print(process_terminate.stop(subprocess.Popen(sys.argv[1:])).code)
    """
    assert run(program, *SLEEP).split() == [str(stopped(HERE).code)]
