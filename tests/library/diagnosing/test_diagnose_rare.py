"""Circumstances that diagnose() meets rarely: other rights, other systems, races."""

import mmap
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from multiprocessing.connection import wait
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from support import (
    DEADLINE,
    NO_PID,
    as_root,
    can_mount,
    fail,
    find,
    hiding,
    python,
    run_as_nobody,
    unreaped,
    wait_until,
)
from terminals import Terminal

from process_terminate import Diagnosis, diagnose
from process_terminate._diagnose import (
    condition,
    deadlocks,
    diagnosing,
    findings,
    peers,
    relations,
    semaphores,
    waits,
)
from process_terminate._diagnose.calls import Blocked
from process_terminate._diagnose.findings import name_of
from process_terminate._diagnose.peers import Machine
from process_terminate._diagnose.reading import GoneError, Process, Thread

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's /proc")


@contextmanager
def another_user() -> Iterator[None]:
    """Have the rights of another user for the block."""
    os.setresuid(65534, 65534, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


@pytest.fixture
def sleeper(child: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
    """A child that sleeps by now."""
    find(child, "waits-for-time")
    return child


def returning(value: Any) -> Callable[..., Any]:
    """Return a function that returns this."""
    return lambda *_: value


@pytest.fixture
def killed() -> Iterator[subprocess.Popen[bytes]]:
    """A child that was killed by SIGKILL, and is reaped after the test."""
    command = unreaped("kill -KILL $$")
    yield command
    command.wait(DEADLINE)


@pytest.fixture
def group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the control group of each process."""
    for module in (condition, relations):
        monkeypatch.setattr(module, "cgroups", returning([str(tmp_path)]))
    return tmp_path


@as_root
def test_another_user_cannot_signal_and_sees_no_files_or_memory(
    sleeper: subprocess.Popen[bytes],
) -> None:
    machine = Machine()
    with another_user():
        found = diagnose(sleeper)
        read = Process(sleeper.pid)
        assert read.memory(4096, 8) == b""
        assert "mem" in read.denied
        assert machine.holders["pipe:[0]"] == []
        assert "which may have the other end" in machine.unseen(0)[0]
    assert found.get("not-yours")
    why = "its threads wait in: it belongs to the user with the id 0; use sudo"
    assert why in found.unseen[0]
    assert "which may have the other end" in machine.unseen(0)[0]


@as_root
def test_another_user_cannot_see_the_exit_code_of_a_zombie() -> None:
    command = unreaped("exit 0")
    with another_user():
        assert condition.exit_code(Process(command.pid)) is None
    assert condition.exit_code(Process(command.pid)) == 0
    command.wait(DEADLINE)


def test_rights_that_the_kernel_restricts_are_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read = Process(os.getpid())
    read.denied.add("syscall")
    monkeypatch.setattr(read, "_read", returning("1\n"))
    assert "kernel.yama.ptrace_scope is 1; use sudo" in read.unseen()[0]


def test_job_that_reads_in_the_background_is_stopped_by_its_terminal() -> None:
    terminal = Terminal(["sh", "-c", "set -m; cat & echo job $!; sleep 60"])
    try:
        terminal.expect(r"job \d+\s")
        shell = psutil.Process(terminal.process.pid)
        wait_until(lambda: len(shell.children()) == 2)
        job, sleep = shell.children()
        find(job, "stopped-by-terminal", rf"foreground process group {sleep.pid}\b")
        job.kill()
    finally:
        terminal.close()


def test_frozen_group_is_named(group: Path) -> None:
    (group / "cgroup.events").write_text("populated 1\nfrozen 1\n")
    found = diagnose(os.getpid()).get("frozen")
    assert found
    assert found.facts == (f"frozen 1 in {group}",)


@pytest.mark.parametrize(
    ("call", "facts"), [(None, ()), ((999, *[0] * 6), ("system call: 999",))]
)
def test_thread_that_the_kernel_does_not_let_go_is_named(
    call: tuple[int, ...] | None, facts: tuple[str, ...]
) -> None:
    process = Process(os.getpid())
    process.threads = [Thread(os.getpid(), "D", 0, 0, 0, call)]
    found = condition._uninterruptible(process)
    assert found.facts[0].startswith(f"thread {os.getpid()}: State: D, wchan: ")
    assert found.facts[1:] == facts
    assert "where often not even SIGKILL can end it" in found.text


def test_threads_are_listed_although_others_start_all_the_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks = count()
    tids = lambda _: [os.getpid(), NO_PID - next(looks)]  # noqa: E731
    monkeypatch.setattr(Process, "_tids", tids)
    assert [one.tid for one in Process(os.getpid()).threads] == [os.getpid()]
    assert next(looks) < 10


def test_process_is_the_same_until_another_one_has_its_pid() -> None:
    process = Process(os.getpid())
    assert process.is_same()
    process.stat = process.stat._replace(started=process.stat.started - 1)
    assert not process.is_same()


@pytest.mark.parametrize(("terminal", "foreground"), [(1, 5), (1, -1), (0, 4)])
def test_process_that_is_not_in_the_background_is_stopped_by_a_signal(
    terminal: int, foreground: int
) -> None:
    """-1 means that no group is in the foreground."""
    stat = Process(os.getpid()).stat._replace(
        terminal=terminal, foreground=foreground, group=5
    )
    process: Any = SimpleNamespace(pid=5, stat=stat)
    assert condition._stopped(process).name == "stopped"


def test_unit_of_systemd_may_restart_it(monkeypatch: pytest.MonkeyPatch) -> None:
    read = Process.read

    def group(process: Process, file: str) -> str:
        here = "0::/system.slice/web.service\n"
        return here if file == "cgroup" else read(process, file)

    monkeypatch.setattr(Process, "read", group)
    found = diagnose(os.getpid()).get("restarted")
    assert found
    assert found.do == "Use systemctl stop web.service."
    assert not found.certain


def microseconds(pid: int) -> int:
    """Return when a process was started, as the kernel's log writes a time."""
    return int(Process(pid).stat.started * 1e6 / os.sysconf("SC_CLK_TCK"))


@pytest.mark.parametrize("where", ["the machine", "its control group", "only a count"])
def test_process_that_was_killed_for_memory_is_found(
    where: str,
    killed: subprocess.Popen[bytes],
    group: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kind = {"the machine": "Out of memory", "its control group": "Memory cgroup out"}
    now = microseconds(killed.pid)
    log = f"6,1,{now},-;{kind.get(where)}: Killed process {{}} (sleep)"
    pid = NO_PID if where == "only a count" else killed.pid
    monkeypatch.setattr(relations, "_kernel_log", returning([log.format(pid)]))
    (group / "memory.events").write_text("oom 1\noom_kill 2\n")
    found = diagnose(killed.pid).get("out-of-memory")
    killed.wait(DEADLINE)
    later = diagnose(killed).get("out-of-memory")
    (group / "memory.events").write_text("oom 1\noom_kill 0\n")
    never = diagnose(killed).get("out-of-memory")
    assert bool(never) == (where != "only a count")
    assert found
    assert later
    assert not later.certain
    assert found.certain == (where != "only a count")
    assert ("in its control group" in found.text) == (where != "the machine")


def test_pids_are_not_those_of_the_kernel_where_its_thread_is_hidden(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(relations, "Process", fail(GoneError(2)))
    assert not relations._sees_all_pids()


@pytest.mark.usefixtures("group")
def test_kill_for_memory_of_an_earlier_process_with_the_pid_is_not_its_own(
    killed: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f"Out of memory: Killed process {killed.pid} (sleep)"
    for pid in (killed.pid, os.getpid()):  # The second counts when it is reaped.
        earlier = microseconds(pid) - 2_000_000
        log = returning([f"6,1,{earlier},-;{text}"])
        monkeypatch.setattr(relations, "_kernel_log", log)
        found = diagnose(killed)
        assert found.get("killed")
        assert found.get("out-of-memory") is None
        killed.wait(DEADLINE)


@pytest.mark.parametrize("sees_all", [True, False])
def test_count_of_a_group_is_no_reason_if_the_kernels_log_says_otherwise(
    sees_all: bool,
    killed: subprocess.Popen[bytes],
    group: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In a container that shares the log, its pids are others."""
    monkeypatch.setattr(relations, "_kernel_log", returning(["6,1,0,-;Linux version"]))
    monkeypatch.setattr(relations, "_sees_all_pids", returning(sees_all))
    (group / "memory.events").write_text("oom_kill 1\n")
    found = diagnose(killed.pid)
    assert [bool(found.get(name)) for name in ("killed", "out-of-memory")] == [
        sees_all,
        not sees_all,
    ]


def test_crash_names_no_killer() -> None:
    command = subprocess.Popen(["sh", "-c", "kill -SEGV $$"])
    command.wait(DEADLINE)
    found = diagnose(command).get("killed")
    assert found
    assert "It crashed." in found.text


def test_death_is_explained_where_there_is_no_sigkill(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On Windows, a worker after terminate() has the exit code -15."""
    command = subprocess.Popen(["sh", "-c", "kill -TERM $$"])
    command.wait(DEADLINE)
    monkeypatch.delattr(signal, "SIGKILL")
    assert diagnose(command).get("killed")


def test_what_is_gone_meanwhile_is_left_out(
    sleeper: subprocess.Popen[bytes],
) -> None:
    read, seen, machine = Process(sleeper.pid), Process(sleeper.pid), Machine()
    assert seen.threads
    sleeper.kill()
    sleeper.wait(DEADLINE)
    assert read.threads == []
    assert read._thread(sleeper.pid) is None
    assert read.machine(sleeper.pid) == ""
    assert not read.is_same()
    assert name_of(NO_PID) == f"pid {NO_PID} (gone)"
    assert condition._reaper(NO_PID)[0] == "its parent has not reaped it."
    assert waits._doing(NO_PID, machine) == f"{NO_PID}: gone"
    assert not semaphores._waits_for(NO_PID, peers.Semaphore(0, b""))
    assert not deadlocks._is_asleep([seen])
    assert list(waits._file_lock(read, Blocked("file lock", reads=(0,)))) == []


def test_thread_that_starts_while_it_is_read_is_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, listdir = [str(os.getpid())], os.listdir
    looks = iter([first])
    monkeypatch.setattr(os, "listdir", lambda path: next(looks, listdir(path)))
    over = threading.Event()
    thread = threading.Thread(target=over.wait, args=[DEADLINE])
    thread.start()
    try:
        seen = [one.tid for one in Process(os.getpid()).threads]
    finally:
        over.set()
        thread.join()
    assert thread.native_id in seen


def test_what_is_not_there_is_not_found() -> None:
    here, machine = Process(os.getpid()), Machine()
    assert here.memory(0, 8) == b""
    lock = multiprocessing.get_context("fork").Lock()
    assert semaphores.semaphore_at(here, 0) is None
    assert lock.acquire()
    assert not relations._is_alive(NO_PID)
    assert peers._unix_peer(1) == 0
    assert peers.lock_holders(NO_PID) == set()
    assert peers.address(os.getpid(), 1) is None
    assert peers.inode_of(os.getpid(), "127.0.0.1:1", "127.0.0.1:1") == 0
    assert peers._words("/no/such/file") == []
    assert (
        peers.files_of(here, Blocked("files", reads=(9999,)), machine)[0].wakers is None
    )


@pytest.mark.parametrize("has_name", [True, False])
def test_unix_socket_has_an_address(has_name: bool, tmp_path: Path) -> None:
    path = str(tmp_path / "socket") if has_name else ""
    with socket.socket(socket.AF_UNIX) as listener:
        if has_name:
            listener.bind(path)
            listener.listen()
        inode = os.fstat(listener.fileno()).st_ino
        assert peers.address(os.getpid(), inode) == (has_name, path, "")


def test_lock_that_several_processes_wait_for_has_one_holder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines = "1: FLOCK ADVISORY WRITE 5\n1: -> FLOCK ADVISORY WRITE 6\n1: -> FLOCK ADVISORY WRITE 7"
    words = [line.split() for line in lines.splitlines()]
    monkeypatch.setattr(peers, "_words", returning(words))
    assert [peers.lock_holders(pid) for pid in (6, 7, 4)] == [{5}, {5}, set()]


@pytest.mark.skipif(
    sys.maxsize < 2**32 or not Path("/proc/sys/kernel/arch").exists(),
    reason="needs a 64-bit program on Linux 6.1",
)
def test_calls_are_those_of_the_kernel_under_an_emulator(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Such as qemu-user, which gives uname() the machine that it emulates."""
    monkeypatch.setattr(os, "uname", returning(os.uname_result([""] * 4 + ["other"])))
    kernel = Path("/proc/sys/kernel/arch").read_text().strip()
    assert Process(os.getpid()).machine(os.getpid()) == kernel


def test_process_in_the_kernel_is_uninterruptible(tmp_path: Path) -> None:
    """A parent in vfork() waits until its child, which opens a pipe, is another program."""
    os.mkfifo(path := tmp_path / "fifo")
    actions = f"[(os.POSIX_SPAWN_OPEN, 0, {str(path)!r}, os.O_RDONLY, 0)]"
    code = f"import os; os.posix_spawn('/bin/true', ['true'], {{}}, file_actions={actions})"
    with python(code) as program:
        try:
            found = find(program, "uninterruptible", "has called exec")
        finally:
            os.close(os.open(path, os.O_WRONLY))
    assert "State: D" in found.facts[0]
    assert found.facts[1].startswith("system call: ")


def test_kernel_that_does_not_answer_about_sockets_is_no_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(socket, "socket", fail(PermissionError))
    assert peers._unix_peer(1) == 0


def test_circle_that_changes_while_it_is_read_is_no_deadlock(
    sleeper: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    read, machine = Process(sleeper.pid), Machine()
    (thread,) = read.threads
    assert deadlocks._is_asleep([read])
    assert not deadlocks._is_abandoned([read])
    for now in ([], [thread._replace(switches=thread.switches + 1)]):
        read.threads = now
        assert not deadlocks._is_asleep([read])
    read.threads = [thread]
    monkeypatch.setattr(deadlocks, "_wakers", returning({NO_PID}))
    assert deadlocks._closed(read, machine) == []
    monkeypatch.setattr(deadlocks, "_MOST", 0)
    assert deadlocks._closed(read, machine) == []


def test_lock_in_shared_memory_of_another_kind_is_no_semaphore() -> None:
    """A database may have such locks."""
    code = (
        "import ctypes, mmap, os, sys\n"
        "m = mmap.mmap(-1, 4096); libc = ctypes.CDLL(None)\n"
        # A 32-bit program may run on a 64-bit kernel.
        "machine = os.uname()[4] if sys.maxsize > 2**32 else 'i386'\n"
        "word = ctypes.byref(ctypes.c_int.from_buffer(m))\n"
        "libc.syscall({'x86_64': 202, 'aarch64': 98, 'i386': 240, 's390x': 238}[machine],"
        " word, 0, 0, None, None, 0)"
    )
    with python(code) as program:
        call = Path(f"/proc/{program.pid}/syscall")
        wait_until(lambda: call.read_text("ascii").startswith(("202 ", "98 ", "240 ")))
        assert diagnose(program).findings == ()


def test_semaphore_may_have_a_name_of_any_bytes() -> None:
    with tempfile.NamedTemporaryFile(prefix=b"sem.\xff", dir=b"/dev/shm") as file:
        file.write(b"0")
        file.flush()
        with mmap.mmap(file.fileno(), 1):
            sharers = Machine().sharers
        inode = os.fstat(file.fileno()).st_ino
    assert [sharers[one] for one in sharers if one.inode == inode] == [{os.getpid()}]


def test_py_spy_adds_the_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    hint = "the line of Python: py-spy is not installed, or failed"
    assert hint in diagnose(os.getpid(), py_spy=True).unseen
    program = tmp_path / "py-spy"
    program.write_text("#!/bin/sh\nprintf 'Thread %s \\377\\n' $3\n")
    program.chmod(0o755)
    assert f"Thread {os.getpid()}" in str(diagnose(os.getpid(), py_spy=True))
    program.write_text("#!/bin/sh\nexit 1\n")
    assert hint in diagnose(os.getpid(), py_spy=True).unseen


@pytest.fixture
def without_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pretend to be macOS or Windows, where psutil tells all that is known."""
    monkeypatch.setattr(diagnosing, "is_readable", returning(False))


@pytest.mark.usefixtures("sleeper", "without_proc")
def test_state_and_children_are_known_without_proc(
    sleeper: subprocess.Popen[bytes],
) -> None:
    os.kill(sleeper.pid, signal.SIGSTOP)
    wait_until(lambda: diagnose(sleeper).state == "stopped")
    found = diagnose(sleeper)
    assert found.command == "sleep 60"
    assert found.get("stopped")
    assert "has no /proc of Linux" in found.unseen[0]
    assert diagnose(os.getpid()).get("leaves-children")


@pytest.mark.usefixtures("without_proc")
def test_command_line_of_another_user_is_not_seen_without_proc(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(psutil.Process, "cmdline", fail(psutil.AccessDenied))
    found = diagnose(os.getpid())
    assert found.command == psutil.Process().name()
    assert "it belongs to another user" in found.unseen[1]


@pytest.mark.usefixtures("without_proc")
def test_pid_of_no_process_is_gone_without_proc() -> None:
    assert diagnose(NO_PID).state == "gone"


def test_report_without_findings_says_so() -> None:
    found = Diagnosis(1, "init", None, "sleeping", (), ())
    assert str(found).splitlines() == [
        "pid 1 (init) is sleeping",
        "  Nothing was found that keeps it from ending.",
    ]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(1.234, "1.23 s"), (61, "1 min 1 s"), (3660, "1 h 1 min"), (90_000, "1 d 1 h")],
)
def test_span_is_short(seconds: float, text: str) -> None:
    assert findings.span(seconds) == text


def test_emulated_kernel_may_show_less_of_a_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The one of QEMU has 44 fields in /proc/self/stat instead of 52."""
    read = Process.read

    def short(process: Process, file: str) -> str:
        text = read(process, file)
        return " ".join(text.split(" ")[:44]) if file == "stat" else text

    monkeypatch.setattr(Process, "read", short)
    assert diagnose(os.getpid()).state == "running"


def test_gvisor_shows_no_signals_of_a_process(
    sleeper: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """See https://github.com/google/gvisor/issues/14500."""
    read = Process._read_status
    missing = ("Sig", "Shd", "voluntary")

    def short(process: Process, path: str) -> dict[str, str]:
        fields = read(process, path)
        return {key: fields[key] for key in fields if not key.startswith(missing)}

    monkeypatch.setattr(Process, "_read_status", short)
    found = diagnose(sleeper)
    assert found.state == "sleeping"
    assert found.unseen == (
        "its signals: this system does not show them, as under gVisor",
    )


@can_mount
def test_proc_with_processes_alone_is_enough() -> None:
    """As with ProcSubset=pid of systemd: there is no /proc/uptime."""
    program = """
        found = diagnose(1)
        print(found.state, found.age > 0)
    """
    assert run_as_nobody(program, hiding("0,subset=pid")) == "sleeping True\n"


def test_state_of_a_process_that_is_hidden_is_unknown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(diagnosing, "is_hidden", returning(True))
    found = diagnose(NO_PID)
    assert (found.state, found.findings) == ("unknown", ())


@can_mount
def test_process_that_proc_hides_is_not_gone() -> None:
    program = """
        found = diagnose(1)
        print(found.state, found.findings, *found.unseen)
    """
    hidden = "everything: /proc hides it from your user (hidepid); use sudo"
    assert run_as_nobody(program, hiding(2)) == f"unknown () {hidden}\n"


def test_pid_of_a_dead_worker_of_the_forkserver_is_not_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The forkserver has reaped it, so another process may have its pid."""
    worker = multiprocessing.get_context("forkserver").Process()
    worker.start()
    wait([worker.sentinel], DEADLINE)
    monkeypatch.setattr(diagnosing, "_diagnose", fail(AssertionError))
    assert diagnose(worker).state == "gone"
