"""diagnose() finds what keeps a process, says nothing false, and touches nothing."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import psutil
import pytest
import support
from support import (
    NAMESPACE,
    as_process_1,
    completed,
    find,
    not_emulated,
    python,
    unreaped,
    wait_until,
)

from process_terminate import Diagnosis, diagnose, stop_tree
from process_terminate._diagnose.findings import name_of
from process_terminate._diagnose.reading import Process

pytestmark = [
    pytest.mark.measured,
    pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's /proc"),
]

FORK: Any = get_context(support.FORK)
#: What may be said of a process that is well.
HEALTHY = {
    "computing",
    "leaves-children",
    "pid-1",
    "restarted",
    "sighup-ignored",
    "sigint-ignored",
    "sigquit-ignored",
    "sigterm-blocked",
    "sigterm-handled",
    "sigterm-ignored",
    "uninterruptible",
}
WAITS = ("waits-", "handler-delayed")


@contextmanager
def forked(work: Callable[..., object], *args: object) -> Iterator[int]:
    """Run a function in a forked worker, and kill the worker."""
    worker = FORK.Process(target=work, args=args)
    worker.start()
    try:
        assert worker.pid
        yield worker.pid
    finally:
        worker.kill()
        worker.join()


def test_finding_of_a_state_names_it() -> None:
    with forked(time.sleep, 60) as pid:
        os.kill(pid, signal.SIGSTOP)
        assert find(pid, "stopped").certain
        assert diagnose(pid).state == "stopped"


def test_zombie_of_the_caller_is_not_reaped() -> None:
    command = unreaped("exit 1")
    found = diagnose(command)
    assert found.state == "zombie"
    assert "this process, its parent" in found.findings[0].text
    assert "exited with 1" in found.findings[0].facts[1]
    assert os.waitid(os.P_PID, command.pid, os.WEXITED | os.WNOWAIT)
    assert command.wait() == 1


def test_killed_zombie_names_its_signal() -> None:
    command = unreaped("kill -KILL $$")
    found = diagnose(command.pid).get("killed")
    assert found
    assert "SIGKILL" in found.text
    command.wait()


def test_zombie_of_another_process_names_its_parent() -> None:
    code = "import subprocess, sys; p = subprocess.Popen(['true']); print(p.pid, flush=True); sys.stdin.read()"
    with python(code, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
        assert program.stdout
        pid = int(program.stdout.readline())
        assert "its parent has not reaped it" in find(pid, "zombie").text
        os.kill(program.pid, signal.SIGSTOP)
        find(pid, "zombie", "stopped")


def test_reaped_object_tells_how_it_ended() -> None:
    command = subprocess.Popen(["sh", "-c", "exit 3"])
    command.wait()
    found = diagnose(command)
    assert (found.state, found.age, found.command) == ("gone", None, "")
    assert found.findings[0].facts == ("exited with 3",)


def test_dead_worker_is_gone() -> None:
    worker = FORK.Process(target=os.getpid)
    worker.start()
    process = psutil.Process(worker.pid)
    worker.join()
    assert diagnose(worker).state == "gone"
    assert diagnose(process).state == "gone"


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"])
def test_ignored_and_blocked_signals_are_found(name: str) -> None:
    number = getattr(signal, name)

    def ignore() -> None:
        signal.signal(number, signal.SIG_IGN)
        time.sleep(60)

    def block() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, [number])
        time.sleep(60)

    with forked(ignore) as pid:
        assert find(pid, f"{name.lower()}-ignored").certain
    with forked(block) as pid:
        find(pid, f"{name.lower()}-blocked")
        os.kill(pid, number)
        find(pid, f"{name.lower()}-pending")


def test_signal_that_one_thread_takes_is_not_blocked() -> None:
    def work() -> None:
        threading.Thread(target=time.sleep, args=[60]).start()
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        time.sleep(60)

    with forked(work) as pid:
        status, blocked = Path(f"/proc/{pid}/status"), "SigBlk:\t0000000000004000"
        wait_until(lambda: blocked in status.read_text())
        assert diagnose(pid).get("sigterm-blocked") is None


def test_traced_process_names_its_tracer() -> None:
    if not shutil.which("strace"):
        pytest.skip("needs strace")
    command = ["strace", "-qq", "-o", "/dev/null", "sleep", "60"]
    with subprocess.Popen(command) as tracer:
        # strace first tries what the kernel can do, in a child of its own.
        wait_until(lambda: _names(tracer.pid) == ["sleep"])
        (pid,) = _children(tracer.pid)
        try:
            assert find(pid, "traced").facts[1] == name_of(tracer.pid)
        finally:
            os.kill(pid, signal.SIGKILL)


def _names(pid: int) -> list[str]:
    with suppress(psutil.NoSuchProcess):
        return [child.name() for child in psutil.Process(pid).children()]
    return []


def _children(pid: int) -> list[int]:
    found = wait_until(psutil.Process(pid).children)
    return [child.pid for child in found]


@not_emulated
def test_pipe_names_who_can_write() -> None:
    receiver, sender = FORK.Pipe(duplex=False)
    with forked(receiver.recv) as pid:
        found = find(pid, "waits-for-a-pipe")
        assert "the calling process and the process itself can write" in found.text
        assert found.do.startswith("Diagnose each process that can write")
        sender.close()
        find(pid, "own-pipe")
        assert "only the process itself" in find(pid, "waits-for-a-pipe").text


def test_handler_that_may_wake_a_reader_excludes_its_own_pipe() -> None:
    def work() -> None:
        signal.signal(signal.SIGUSR1, lambda *_: None)
        os.read(os.pipe()[0], 1)

    with forked(work) as pid:
        find(pid, "waits-for-a-pipe")
        assert diagnose(pid).get("own-pipe") is None


@not_emulated
def test_unix_socket_names_its_peer() -> None:
    ours, theirs = socket.socketpair()
    code = "import socket; socket.socket(fileno=0).recv(1)"
    with theirs, ours, python(code, stdin=theirs) as program:
        theirs.close()
        assert "the calling process" in find(program.pid, "waits-for-a-socket").text


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_local_connection_names_its_peer(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as server:
        code = f"import socket; socket.create_connection({server.getsockname()[:2]}).recv(1)"
        with python(code) as program:
            link, _ = server.accept()
            with link:
                found = find(program.pid, "waits-for-a-socket")
                assert "the calling process can write" in found.text


@pytest.mark.parametrize(
    ("call", "name"),
    [
        ("p = select.poll(); p.register(r, 1); p.poll()", "waits-for-a-pipe"),
        ("select.select([r], [], [])", "waits-for-a-pipe"),
        ("e = select.epoll(); e.register(r, 1); e.poll()", "waits-for-events"),
    ],
    ids=["poll", "select", "epoll"],
)
def test_wait_for_several_calls_names_the_pipe(call: str, name: str) -> None:
    code = f"import os, select; r, w = os.pipe(); {call}"
    with python(code) as program:
        find(program, name, r"pipe:\[")
        found = diagnose(program)
        # An event loop has both ends, so that a signal can wake it.
        assert found.get("own-pipe") is None
        assert found.get("deadlock") is None


def test_full_pipe_names_its_reader() -> None:
    with subprocess.Popen(["yes"], stdout=subprocess.PIPE) as command:
        find(command, "waits-to-write", "the calling process should read")
        command.kill()
        command.communicate()


@not_emulated
def test_circle_of_parent_and_child_is_a_deadlock() -> None:
    code = "import subprocess; subprocess.Popen(['yes'], stdout=subprocess.PIPE).wait()"
    with python(code) as program:
        assert find(program.pid, "deadlock").certain
        (child,) = _children(program.pid)
        assert find(child, "deadlock").facts


def test_lock_names_those_that_share_it() -> None:
    lock = FORK.Lock()
    with lock, forked(lock.acquire) as pid:
        found = find(pid, "waits-for-a-semaphore")
        assert "shares with the calling process" in found.text
        assert diagnose(pid).get("abandoned-semaphore") is None


@not_emulated
def test_lock_of_a_dead_holder_is_abandoned() -> None:
    def program(pipe: Any) -> None:
        lock = FORK.Lock()
        holder, *waiters = (FORK.Process(target=lock.acquire) for _ in range(3))
        holder.start()
        holder.join()
        for waiter in waiters:
            waiter.start()
        pipe.send([waiter.pid for waiter in waiters])
        waiters[0].join()

    receiver, sender = FORK.Pipe(duplex=False)
    with forked(program, sender):
        pids = receiver.recv()
        try:
            found = find(pids[0], "abandoned-semaphore")
            assert len(found.facts) == 3
            shared = find(pids[0], "waits-for-a-semaphore").facts
            assert any("waiting for it too" in fact for fact in shared)
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGKILL)


def test_lock_with_a_timeout_is_not_abandoned() -> None:
    def program() -> None:
        lock = FORK.Lock()
        lock.acquire()
        lock.acquire(timeout=60)

    with forked(program) as pid:
        assert "timeout" in find(pid, "waits-for-a-semaphore").facts[-1]
        assert diagnose(pid).get("abandoned-semaphore") is None


def test_file_lock_names_its_holder(tmp_path: Path) -> None:
    fcntl = pytest.importorskip("fcntl")
    path = tmp_path / "lock\x1b[2K"
    path.touch()
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        code = f"import fcntl; fcntl.flock(open({str(path)!r}), fcntl.LOCK_EX)"
        with python(code) as program:
            found = find(program.pid, "waits-for-a-file-lock")
            assert "the calling process holds" in found.text
            assert f"{tmp_path}/lock\\x1b[2K" in found.facts[0]
            assert "[2K" in diagnose(program).command
            assert "\x1b" not in str(diagnose(program))


def test_reader_of_a_terminal_waits_for_input() -> None:
    ours, theirs = os.openpty()
    with subprocess.Popen(["cat"], stdin=theirs) as command:
        try:
            find(command.pid, "waits-for-a-terminal")
        finally:
            command.kill()
    os.close(ours)
    os.close(theirs)


@not_emulated
def test_descendants_and_the_tree_are_listed() -> None:
    with subprocess.Popen(["sh", "-c", "sleep 60 & sleep 60 & wait"]) as shell:
        find(shell, "leaves-children", r"2 descendants.*\(sleep 60\).*\(sleep 60\)")
        found = diagnose(shell, tree=True)
        assert [below.command for below in found.tree] == ["sleep 60", "sleep 60"]
        assert str(found).count("has been alive") == 3
        shell.kill()
        for below in found.tree:
            os.kill(below.pid, signal.SIGKILL)


def test_descendant_whose_first_thread_has_exited_is_alive() -> None:
    code = (
        "import ctypes, os, threading, time\n"
        "if os.fork() == 0:\n"
        "    threading.Thread(target=time.sleep, args=[60]).start()\n"
        "    ctypes.CDLL(None).pthread_exit(None)\n"
        "time.sleep(60)"
    )
    with python(code) as program:
        (child,) = _children(program.pid)
        find(child, "first-thread-gone")
        assert diagnose(program).get("leaves-children")


def test_supervisor_is_known_by_its_name() -> None:
    command = ["supervisord", "-c", "sleep 60 & wait"]
    with subprocess.Popen(command, executable="/bin/sh") as supervisor:
        (child,) = _children(supervisor.pid)
        assert not find(child, "restarted").certain
        supervisor.kill()
        os.kill(child, signal.SIGKILL)


@as_process_1
def test_first_process_of_a_namespace_is_known() -> None:
    with subprocess.Popen([*NAMESPACE, "sleep", "60"]) as unshare:
        (pid,) = _children(unshare.pid)
        find(pid, "pid-1", "process 1 of a container")
        os.kill(pid, signal.SIGKILL)


def test_process_that_ends_meanwhile_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Process, "is_same", lambda _: False)
    assert diagnose(os.getpid()).state == "gone"


@pytest.mark.parametrize("value", ["4711", None, True, 1.5])
def test_what_is_no_process_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="diagnose\\(\\) takes a pid"):
        diagnose(value)


def test_pid_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="pid must be a positive number, got -1"):
        diagnose(-1)
    with pytest.raises(ValueError, match="was not started"):
        diagnose(FORK.Process())
    closed = FORK.Process()
    closed.close()
    with pytest.raises(ValueError, match="is closed; call diagnose"):
        diagnose(closed)


def test_diagnosis_becomes_json() -> None:
    found = diagnose(os.getpid()).as_dict()
    assert set(found) == {
        "pid", "command", "age", "state", "findings", "unseen", "tree", "stack",
    }  # fmt: skip
    json.dumps(found)


def test_nothing_is_signaled_stopped_or_traced(tmp_path: Path) -> None:
    """Strace sees each system call of a diagnosis."""
    if not shutil.which("strace"):
        pytest.skip("needs strace")
    code = "import sys; from process_terminate import diagnose; diagnose(int(sys.argv[1]), tree=True)"
    trace = tmp_path / "trace"
    with forked(time.sleep, 60) as pid:
        find(pid, "waits-for-time")
        before = _signals(pid)
        command = [sys.executable, "-c", code, str(pid)]
        assert completed("strace", "-f", "-o", trace, *command).returncode == 0
        assert _signals(pid) == before
    lines = trace.read_text().splitlines()
    names = {line.split("(")[0].split()[-1] for line in lines}
    sending = {"kill", "tkill", "tgkill", "pidfd_send_signal"}
    assert not names & (sending | {"ptrace", "process_vm_readv"})
    written = [line for line in lines if "O_WRONLY" in line or "O_RDWR" in line]
    assert [line for line in written if "/proc/" in line] == []


def _signals(pid: int) -> list[str]:
    """Return the state, the tracer, the signals and the times a process has slept."""
    names = ("State", "TracerPid", "SigPnd", "ShdPnd", "voluntary_ctxt_switches")
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return [line for line in lines if line.startswith(names)]


HEALTHY_PROGRAMS = {
    "sleep": "import time; time.sleep(60)",
    "loop": "while True: pass",
    "asyncio": (
        "import asyncio\n"
        "async def main():\n"
        "    server = await asyncio.start_server(print, '127.0.0.1', 0)\n"
        "    await server.serve_forever()\n"
        "asyncio.run(main())"
    ),
    "signal": (
        "import signal, threading\n"
        "stop = threading.Event()\n"
        "signal.signal(signal.SIGTERM, lambda *_: stop.set())\n"
        "stop.wait()"
    ),
    "shell": "import os; os.execlp('sh', 'sh', '-c', 'while :; do :; done')",
    "pool": (
        "import multiprocessing, time\n"
        "if __name__ == '__main__':\n"
        "    with multiprocessing.get_context('fork').Pool(2) as pool:\n"
        "        time.sleep(60)"
    ),
    "queue": (
        "import multiprocessing, time\n"
        "context = multiprocessing.get_context('fork')\n"
        "queue = context.Queue()\n"
        "worker = context.Process(target=queue.get, daemon=True)\n"
        "worker.start()\n"
        "time.sleep(60)"
    ),
}


@pytest.mark.parametrize("name", HEALTHY_PROGRAMS)
def test_healthy_program_has_no_false_finding(name: str) -> None:
    with python(HEALTHY_PROGRAMS[name]) as program:
        try:
            time.sleep(0.5)
            for _ in range(20):
                found = diagnose(program, tree=True)
                if any(map(_wrong, (found, *found.tree))):
                    # A child that is being forked blocks all signals for a moment.
                    time.sleep(0.2)
                    found = diagnose(program, tree=True)
                for each in (found, *found.tree):
                    assert _wrong(each) == []
        finally:  # A pool starts a new worker for each that is killed.
            stop_tree(program, grace=0)


def _wrong(found: Diagnosis) -> list[str]:
    """Return the findings that no healthy process has."""
    names = [finding.name for finding in found.findings]
    return [n for n in names if n not in HEALTHY and not n.startswith(WAITS)]


def test_callers_of_this_test_have_no_hopeless_finding() -> None:
    """Such as pytest, make and a shell; another process may really hang."""
    this = psutil.Process()
    for process in (this, *(each for each in this.parents() if each.pid != 1)):
        found = {finding.name for finding in diagnose(process).findings}
        assert not found & {"own-pipe", "abandoned-semaphore"}, process
