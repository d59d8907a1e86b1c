"""Handles: a process is tracked with a pidfd, and without one in the same way."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from support import (
    DEADLINE,
    IGNORE,
    KILLED,
    NO_PID,
    TERMINATED,
    Shell,
    Start,
    fail,
    needs_pidfds,
    not_on_windows,
    reaps,
    run,
    wait_until,
)

from process_terminate import stop
from process_terminate._process import handle as handles
from process_terminate._process import table
from process_terminate._process.handle import Handle, open_handle
from process_terminate._process.printable import described, printable

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="compares with pidfds")


def polling(pid: int) -> Handle:
    """Return a handle that polls a child."""
    return handles._PollingHandle(pid, child=True)


def polling_by_start(pid: int) -> Handle:
    """Return a handle that compares start times."""
    return handles._PollingHandle(pid, child=False)


PIDFD = [handles._PidfdHandle] if hasattr(os, "pidfd_open") else []
WAYS = [polling, polling_by_start, *PIDFD]


@pytest.fixture(params=WAYS)
def handle(request: Any, child: "subprocess.Popen[bytes]") -> Iterator[Handle]:
    """A handle of the child, of each kind."""
    with request.param(child.pid) as found:
        yield found


def die(process: "subprocess.Popen[bytes]") -> None:
    """Terminate a child, and leave it unreaped."""
    process.terminate()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)


@reaps
def test_handle_sends_signals_and_tells_the_exit_code(handle: Handle) -> None:
    for number, state in [(handles.SIGSTOP, "stopped"), (handles.SIGCONT, "sleeping")]:
        handle.send(number)
        wait_until(lambda s=state: psutil.Process(handle.pid).status() == s)  # type: ignore[misc]
        assert not handle.is_dead()
        assert handle.exit_code() is None
    handle.send(signal.SIGTERM)
    wait_until(handle.is_dead)
    assert handle.is_child()
    assert handle.exit_code() == handle.exit_code(reap=True) == -15
    assert not handle.is_child()
    assert handle.exit_code() is None


@not_on_windows("reaps a child")
def test_exit_code_is_known_without_waitid_when_the_child_is_reaped(
    handle: Handle, child: "subprocess.Popen[bytes]", monkeypatch: pytest.MonkeyPatch
) -> None:
    die(child)
    monkeypatch.setattr(os, "waitid", fail(PermissionError()))
    assert handle.exit_code() is None
    assert handle.exit_code(reap=True) == -15


@reaps
@pytest.mark.parametrize("reaped", [False, True])
def test_handle_of_a_dead_process_sends_nothing(
    reaped: bool, handle: Handle, child: "subprocess.Popen[bytes]"
) -> None:
    die(child)
    if reaped:
        child.wait()
    handle.send(signal.SIGKILL)
    assert not handle.forbidden
    assert handle.is_dead()
    assert child.wait() == -15


def test_handle_waits_until_the_process_is_dead_for_one_step(
    handle: Handle, child: "subprocess.Popen[bytes]"
) -> None:
    before = time.monotonic()
    assert not handle.wait(0.05)
    assert not handle.wait(-1)
    assert 0.05 <= time.monotonic() - before < DEADLINE
    killer = threading.Timer(0.1, child.kill)
    killer.start()
    wait_until(lambda: handle.wait(1e10))
    killer.join(DEADLINE)


def test_handle_that_polls_looks_less_and_less_often(
    child: "subprocess.Popen[bytes]", monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    monkeypatch.setattr(handles, "monotonic", lambda: sum(pauses))
    with polling(child.pid) as found:
        assert not found.wait(0.2)
    first, longest = pauses[0], max(pauses)
    assert pauses[:-1] == [min(first * 2**n, longest) for n in range(len(pauses) - 1)]
    assert len(pauses) < 15


@reaps
def test_handle_that_polls_sees_a_dead_child_that_a_debugger_keeps(
    child: "subprocess.Popen[bytes]", monkeypatch: pytest.MonkeyPatch
) -> None:
    with polling(child.pid) as found:
        monkeypatch.setattr(found, "exit_code", lambda: None)
        assert not found.is_dead()
        die(child)
        assert found.is_dead()


@reaps
@pytest.mark.parametrize("way", WAYS)
def test_handle_knows_the_parent_and_what_is_no_child(
    way: Callable[[int], Handle], child: "subprocess.Popen[bytes]"
) -> None:
    with way(child.pid) as handle:
        assert handle.parent() == os.getpid()
        die(child)
        child.wait()
        assert handle.parent() == 0
    with way(os.getppid()) as stranger:
        assert not stranger.is_child()
        assert stranger.exit_code(reap=True) is None
    with pytest.raises(ProcessLookupError):
        way(child.pid)


@not_on_windows("starts /bin/sh")
def test_process_is_described(child: "subprocess.Popen[bytes]") -> None:
    wait_until(lambda: psutil.Process(child.pid).status() == "sleeping")
    assert described(child.pid) == f"pid {child.pid} (sleep, sleeping)"
    die(child)
    child.wait()
    assert described(child.pid) == f"pid {child.pid}"


@not_on_windows("starts a program with bytes in its name")
def test_process_is_described_without_what_a_terminal_obeys(tmp_path: Path) -> None:
    program = tmp_path / os.fsdecode(b"\xe9\x1b[2K\nf")
    program.symlink_to(shutil.which("sleep") or "")
    with subprocess.Popen([program, "60"]) as process:
        shown = f"pid {process.pid} (\\xe9\\x1b[2K\\nf, "
        wait_until(lambda: described(process.pid).startswith(shown))
        process.kill()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("sleep 60", "sleep 60"),
        ("naïve 日本 \\x1b", "naïve 日本 \\x1b"),
        ("a\x1b]0;b\x07\r\n\x7f", "a\\x1b]0;b\\x07\\r\\n\\x7f"),
        ("\udce9t\udce9 \ud800", "\\xe9t\\xe9 \\ud800"),
        ("\x9b2K \u202eevil\u2028", "\\x9b2K \\u202eevil\\u2028"),
    ],
)
def test_text_is_printable_and_can_be_written(text: str, shown: str) -> None:
    assert printable(text) == printable(shown) == shown
    assert shown.encode()


@needs_pidfds
@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOSYS, errno.EACCES])
def test_handle_sends_by_pid_where_a_sandbox_denies_signals_by_pidfd(
    number: int, child: "subprocess.Popen[bytes]", monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(signal, "pidfd_send_signal", fail(OSError(number, "")))
        assert stop(child) == TERMINATED


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_long_file_of_proc_is_read_to_its_end(start: Start) -> None:
    """The kernel gives one page at a time."""
    pid = start("spawn").pid
    found = table.read(pid, "maps")
    assert len(found) > 1 << 13
    assert found == Path(f"/proc/{pid}/maps").read_bytes()


@needs_pidfds
@pytest.mark.parametrize("number", [errno.ENOSYS, errno.EPERM, errno.EMFILE])
def test_stop_works_where_there_are_no_pidfds(
    number: int, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, "pidfd_open", fail(OSError(number, "")))
        assert stop(shell(IGNORE), grace=0.1) == KILLED


@needs_pidfds
@pytest.mark.parametrize(
    ("number", "error"),
    [
        (errno.ENOENT, ProcessLookupError),
        (errno.EINVAL, ProcessLookupError),
        (errno.ESRCH, ProcessLookupError),
        (errno.ENOMEM, OSError),
    ],
)
def test_opening_passes_on_other_errors(
    number: int,
    error: type[Exception],
    child: "subprocess.Popen[bytes]",
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "pidfd_open", fail(OSError(number, "")))
    with pytest.raises(error):
        open_handle(child.pid)


@needs_pidfds
@pytest.mark.parametrize("answer", [errno.ESRCH, errno.ENOTTY, errno.EINVAL])
def test_parent_is_known_where_the_kernel_does_not_tell_it_of_a_pidfd(
    answer: int, child: "subprocess.Popen[bytes]", monkeypatch: pytest.MonkeyPatch
) -> None:
    """As before Linux 6.13."""
    with open_handle(child.pid) as handle, monkeypatch.context() as patch:
        patch.setattr("fcntl.ioctl", fail(OSError(answer, "")))
        assert handle.parent() == (0 if answer == errno.ESRCH else os.getpid())


@on_linux
@pytest.mark.parametrize("limit", [96, 3])
def test_stop_needs_no_file_descriptor(limit: int) -> None:
    """A child can be signaled by its pid until it is reaped."""
    program = """
        import multiprocessing, os, resource, subprocess, sys, time
        from process_terminate import stop_all
        children = [subprocess.Popen(["sleep", "60"]) for _ in range(50)]
        fork = multiprocessing.get_context("fork")
        children += [fork.Process(target=time.sleep, args=(60,)) for _ in range(3)]
        for child in children[50:]:
            child.start()
        resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[1]), 200))
        print({status.code for status in stop_all(children)})
        print({child.returncode for child in children[:50]})
    """
    assert run(program, str(limit)) == "{-15}\n{-15}\n"


def test_table_shows_what_psutil_shows(child: "subprocess.Popen[bytes]") -> None:
    found, shown = table.look_up(child.pid), table._ask_psutil(child.pid)
    assert found
    assert shown
    assert (found.pid, found.parent, found.name) == (
        shown.pid,
        shown.parent,
        shown.name,
    )
    assert table.look_up(NO_PID) is None


LEADER_EXITS = """
import ctypes, threading, time
threading.Thread(target=time.sleep, args=(60,)).start()
print(flush=True)
ctypes.CDLL(None).syscall({exit}, 0)
"""


@pytest.mark.parametrize("grace", [0, 5])
@pytest.mark.skipif(
    sysconfig.get_config_var("MULTIARCH") != "x86_64-linux-gnu",
    reason="has a number of a call",
)
def test_process_whose_first_thread_has_exited_is_alive(grace: float) -> None:
    """The system shows it as a zombie."""
    program = LEADER_EXITS.format(exit=60)
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        wait_until(lambda: psutil.Process(process.pid).status() == "zombie")
        entry = table.look_up(process.pid)
        assert entry
        assert not entry.is_dead
        with open_handle(process.pid, child=True) as handle:
            assert not handle.is_dead()
        assert stop(process, grace=grace) == (TERMINATED if grace else KILLED)
