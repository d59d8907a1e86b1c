"""Handles: without pidfds the same happens as with them."""

import errno
import multiprocessing
import os
import select
import signal
import struct
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psutil
import pytest

from evidence.measure import leftovers
from process_terminate import ExitStatus, _census, _handle, stop
from process_terminate._handle import Handle, hold, wait_for_all
from process_terminate._stop import Target

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="compares with pidfds")

#: Seconds for what takes milliseconds on an idle machine.
DEADLINE = 30.0
BY_PIDFD: Any = getattr(_handle, "_ByPidfd", None)
BY_PSUTIL = _handle._ByPsutil

DEAF = "trap '' TERM; echo; exec sleep 60"


@pytest.fixture(autouse=True)
def _nothing_left() -> Iterator[None]:
    with leftovers.ended() as left:
        yield
    assert left == []


@pytest.fixture
def child() -> Iterator["subprocess.Popen[bytes]"]:
    """A child that rests; ended and reaped after the test."""
    process = subprocess.Popen(["sleep", "60"])
    yield process
    process.kill()
    process.wait()


@pytest.fixture(params=[BY_PIDFD, BY_PSUTIL])
def held(
    request: pytest.FixtureRequest, child: "subprocess.Popen[bytes]"
) -> Iterator[Handle]:
    """The child, held in both ways."""
    with request.param(child.pid) as handle:
        yield handle


@pytest.fixture(params=["ENOSYS", "EPERM", "EMFILE", "missing"])
def _no_pidfds(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """A system that gives no pidfds, for one reason or another."""
    with monkeypatch.context() as patch:
        if request.param == "missing":
            patch.delattr(os, "pidfd_open")
        else:
            fail_to_open(patch, getattr(errno, request.param))
        yield


def fail_to_open(patch: pytest.MonkeyPatch, number: int) -> None:
    """Let the system refuse to open a pidfd."""

    def pidfd_open(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    patch.setattr(os, "pidfd_open", pidfd_open)


def die(process: "subprocess.Popen[bytes]", number: int = signal.SIGTERM) -> None:
    """End a child, and leave it unreaped."""
    process.send_signal(number)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)


def wait_for_status(pid: int, *statuses: str) -> None:
    """Wait until the system shows a process in one of some states."""
    end = time.monotonic() + DEADLINE
    while psutil.Process(pid).status() not in statuses:
        assert time.monotonic() < end
        time.sleep(0.005)


# Both kinds of handles.


@pytest.mark.parametrize(("verb", "code"), [("terminate", -15), ("kill", -9)])
def test_handle_ends_a_process(verb: Any, code: int, held: Handle) -> None:
    """By the signal that the verb has on POSIX."""
    held.tell(verb)
    assert held.wait(DEADLINE)
    assert held.exit_code(reap=True) == code


def test_handle_suspends_and_resumes_a_process(held: Handle) -> None:
    """A stopped process is not dead, and can be continued."""
    held.tell("suspend")
    wait_for_status(held.pid, psutil.STATUS_STOPPED)
    assert not held.wait()
    held.tell("resume")
    wait_for_status(held.pid, psutil.STATUS_SLEEPING, psutil.STATUS_RUNNING)


@pytest.mark.parametrize("reaped", [False, True])
def test_handle_of_a_dead_process_tells_nothing(
    reaped: bool, held: Handle, child: "subprocess.Popen[bytes]"
) -> None:
    """It is no error, and not forbidden either."""
    die(child)
    if reaped:
        child.wait()
    for verb in ("terminate", "resume", "suspend", "kill"):
        held.tell(verb)
    assert not held.forbidden


@pytest.mark.parametrize("timeout", [-1.0, 0.0, 0.1])
def test_handle_waits_for_its_timeout(timeout: float, held: Handle) -> None:
    """A process that is alive then is not dead."""
    before = time.monotonic()
    assert not held.wait(timeout)
    assert max(timeout, 0) <= time.monotonic() - before < DEADLINE


@pytest.mark.parametrize("reaped", [False, True])
def test_handle_sees_that_a_process_is_dead(
    reaped: bool, held: Handle, child: "subprocess.Popen[bytes]"
) -> None:
    """A zombie is dead, and so is what is gone."""
    die(child)
    if reaped:
        child.wait()
    assert held.wait()


def test_handle_wakes_when_the_process_dies(
    held: Handle, child: "subprocess.Popen[bytes]"
) -> None:
    """The wait ends with the process, not with its timeout."""
    killer = threading.Timer(0.1, child.kill)
    killer.start()
    before = time.monotonic()
    assert held.wait(DEADLINE)
    assert time.monotonic() - before < DEADLINE / 2
    killer.join(DEADLINE)


def test_handle_waits_a_very_long_time(
    held: Handle, child: "subprocess.Popen[bytes]"
) -> None:
    """Longer than poll(2) could in one call."""
    die(child)
    assert held.wait(1e10)


def test_handle_does_not_reap_by_waiting(
    held: Handle, child: "subprocess.Popen[bytes]"
) -> None:
    """That is for the object that the process has."""
    die(child)
    held.wait()
    assert child.wait() == -signal.SIGTERM


def test_handle_knows_a_child(held: Handle, child: "subprocess.Popen[bytes]") -> None:
    """A process is a child until it is reaped, dead or alive."""
    assert held.is_child()
    die(child)
    assert held.is_child()
    child.wait()
    assert not held.is_child()


def test_handle_knows_the_parent_if_it_is_quick(
    held: Handle, child: "subprocess.Popen[bytes]"
) -> None:
    """Linux tells it of a pidfd from 6.13 on; of the reaped nobody does."""
    assert held.parent() in (os.getpid(), None)
    die(child)
    assert held.parent() in (os.getpid(), None)
    child.wait()
    assert held.parent() in (0, None)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has pidfds")
@pytest.mark.parametrize(
    ("answer", "parent"),
    [("ESRCH", 0), ("ENOTTY", None), ("EINVAL", None), ("EPERM", None)],
)
def test_handle_reads_the_errors_of_the_system(
    answer: str,
    parent: int | None,
    child: "subprocess.Popen[bytes]",
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """ESRCH is said of the reaped; the others by an older kernel, or a sandbox."""
    number = getattr(errno, answer)

    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    with hold(child.pid) as handle:
        monkeypatch.setattr("fcntl.ioctl", refuse)
        assert handle.parent() == parent


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has pidfds")
def test_handle_reads_what_the_kernel_tells(
    child: "subprocess.Popen[bytes]", monkeypatch: pytest.MonkeyPatch
) -> None:
    """As linux/pidfd.h has it, also where the kernel here is too old to."""

    def tell(_: int, request: int, told: bytearray) -> None:
        assert request == 3 << 30 | len(told) << 16 | 0xFF << 8 | 11
        told[:28] = struct.pack("=QQIII", 7, 1, child.pid, child.pid, 4711)

    with hold(child.pid) as handle:
        monkeypatch.setattr("fcntl.ioctl", tell)
        assert handle.parent() == 4711


@pytest.mark.parametrize("by", [BY_PIDFD, BY_PSUTIL])
def test_handle_knows_that_a_process_is_no_child(by: Callable[[int], Handle]) -> None:
    """Of a stranger it cannot tell the exit code."""
    with by(os.getppid()) as stranger:
        assert not stranger.is_child()
        assert stranger.exit_code() is None
        assert stranger.exit_code(reap=True) is None


@pytest.mark.parametrize("reap", [False, True])
@pytest.mark.parametrize(
    ("command", "code"), [("exit 3", 3), ("exit 0", 0), ("kill -9 $$", -9)]
)
@pytest.mark.parametrize("by", [BY_PIDFD, BY_PSUTIL])
def test_handle_tells_the_exit_code(
    by: Callable[[int], Handle], command: str, code: int, reap: bool
) -> None:
    """As Process.exitcode has it; and the zombie is gone, or is not."""
    with subprocess.Popen(["/bin/sh", "-c", command]) as process:
        with by(process.pid) as handle:
            assert handle.wait(DEADLINE)
            assert handle.exit_code(reap=reap) == code
        assert psutil.pid_exists(process.pid) is not reap


@pytest.mark.parametrize("reap", [False, True])
def test_handle_has_no_exit_code_of_the_living(reap: bool, held: Handle) -> None:
    """A child that has not ended has none yet."""
    assert held.exit_code(reap=reap) is None


@pytest.mark.parametrize("reap", [False, True])
def test_handle_has_no_exit_code_of_the_reaped(
    reap: bool, held: Handle, child: "subprocess.Popen[bytes]"
) -> None:
    """Who has reaped it knows it."""
    die(child)
    child.wait()
    assert held.exit_code(reap=reap) is None


def test_handle_describes_a_process(
    held: Handle, child: "subprocess.Popen[bytes]"
) -> None:
    """Pid, name and state, and of one that is gone the pid alone."""
    wait_for_status(child.pid, psutil.STATUS_SLEEPING)
    assert held.describe() == f"pid {child.pid} (sleep, sleeping)"
    die(child)
    child.wait()
    assert held.describe() == f"pid {child.pid}"


@pytest.mark.parametrize("by", [BY_PIDFD, BY_PSUTIL])
def test_handle_of_nobody_cannot_be_had(
    by: Callable[[int], Handle], child: "subprocess.Popen[bytes]"
) -> None:
    """A pid that is free is an error at once."""
    child.kill()
    child.wait()
    with pytest.raises(ProcessLookupError):
        by(child.pid)


@pytest.mark.parametrize("error", [PermissionError, psutil.AccessDenied])
def test_handle_notes_that_signals_are_forbidden(
    error: Callable[[], Exception], held: Handle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both kinds of handles have their own error for that."""

    def refuse(_: object) -> None:
        raise error()

    monkeypatch.setattr(held, "_tell", refuse)
    held.tell("terminate")
    assert held.forbidden


def test_waiting_for_all_returns_the_living(
    child: "subprocess.Popen[bytes]",
) -> None:
    """One deadline for all, in the order given."""
    with subprocess.Popen(["/bin/true"]) as dead, BY_PSUTIL(dead.pid) as of_dead:
        assert of_dead.wait(DEADLINE)
        with BY_PIDFD(child.pid) as one, BY_PSUTIL(child.pid) as two:
            living = wait_for_all([one, of_dead, two], time.monotonic() + 0.05)
            assert living == [one, two]


# Which kind it is.


def test_hold_takes_a_pidfd(child: "subprocess.Popen[bytes]") -> None:
    """Where there are pidfds."""
    with hold(child.pid) as handle:
        assert type(handle) is BY_PIDFD


@pytest.mark.usefixtures("_no_pidfds")
def test_hold_goes_without_a_pidfd(child: "subprocess.Popen[bytes]") -> None:
    """On an old kernel, in a sandbox, with too many files, on other systems."""
    with hold(child.pid) as handle:
        assert type(handle) is BY_PSUTIL


def test_hold_leaves_file_descriptors_to_the_program(
    child: "subprocess.Popen[bytes]", monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pidfd that is one of the last that the program may open is given back."""
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    monkeypatch.setattr(_handle, "_RESERVED", 2**62)
    with hold(child.pid) as handle:
        assert type(handle) is BY_PSUTIL
        assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


@pytest.mark.parametrize("number", [errno.ESRCH, errno.ENOMEM])
def test_hold_passes_on_other_errors(
    number: int, child: "subprocess.Popen[bytes]", monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the lack of pidfds is a reason to go without."""
    with monkeypatch.context() as patch:
        fail_to_open(patch, number)
        with pytest.raises(OSError, match=os.strerror(number)) as raised:
            hold(child.pid)
    assert raised.value.errno == number


@pytest.mark.usefixtures("_no_pidfds")
def test_stop_works_without_pidfds(child: "subprocess.Popen[bytes]") -> None:
    """The status is known, and the child is reaped."""
    assert stop(child) == ExitStatus(-signal.SIGTERM)
    assert child.returncode == -signal.SIGTERM
    assert not psutil.pid_exists(child.pid)


def test_stop_escalates_without_pidfds(monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGKILL follows after the grace."""
    command = ["/bin/sh", "-c", DEAF]
    with (
        monkeypatch.context() as patch,
        subprocess.Popen(command, stdout=subprocess.PIPE) as deaf,
    ):
        patch.delattr(os, "pidfd_open")
        assert deaf.stdout
        deaf.stdout.readline()
        assert stop(deaf, grace=0.1) == ExitStatus(-signal.SIGKILL)


def test_stop_all_works_without_pidfds_for_all_others() -> None:
    """For each start method, and for psutil, which has no pidfds either."""
    program = """
        import os
        del os.pidfd_open
        import multiprocessing, psutil, subprocess, time
        from process_terminate import stop_all
        processes = []
        for method in ("fork", "spawn", "forkserver"):
            context = multiprocessing.get_context(method)
            processes.append(context.Process(target=time.sleep, args=(60,)))
            processes[-1].start()
        popen = subprocess.Popen(["sleep", "60"])
        processes.append(psutil.Process(popen.pid))
        print([status.code for status in stop_all(processes)])
        popen.wait()
    """
    assert run(program) == "[-15, -15, -15, -15]\n"


def test_stop_all_needs_fewer_file_descriptors_than_processes() -> None:
    """Of fifty children some get a pidfd, and all are stopped and reaped."""
    program = """
        import os, resource, subprocess
        from process_terminate import stop_all
        resource.setrlimit(resource.RLIMIT_NOFILE, (96, 96))
        children = [subprocess.Popen(["sleep", "60"]) for _ in range(50)]
        print({status.code for status in stop_all(children)})
        print({child.returncode for child in children})
        try:
            os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            print("no child is left")
    """
    assert run(program) == "{-15}\n{-15}\nno child is left\n"


def run(program: str) -> str:
    """Run a program of its own; what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        check=False,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )
    assert done.stderr == ""
    return done.stdout


# Other systems, imitated.


class FakeQueue:
    """A kqueue that tells what the test has set."""

    answer: list[object] | Exception
    asked: list[object]
    closed: bool

    def control(self, changes: list[object], count: int, timeout: float) -> object:
        """Register, and wait."""
        type(self).asked = [*changes, count, timeout]
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def close(self) -> None:
        """Note that it is closed."""
        type(self).closed = True


class FakeEvent:
    """An event of a kqueue: an exit, or an error by number."""

    def __init__(self, error: int = 0) -> None:
        self.flags = 0x4000 if error else 0
        self.data = error


@pytest.fixture
def _kqueue(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that has kqueues."""
    monkeypatch.setattr(select, "kqueue", FakeQueue, raising=False)
    monkeypatch.setattr(select, "kevent", imitate_kevent, raising=False)
    monkeypatch.setattr(select, "KQ_FILTER_PROC", "proc", raising=False)
    monkeypatch.setattr(select, "KQ_NOTE_EXIT", "exit", raising=False)
    monkeypatch.setattr(select, "KQ_EV_ERROR", 0x4000, raising=False)


@pytest.mark.usefixtures("_kqueue")
@pytest.mark.parametrize(
    ("answer", "came"),
    [
        ([FakeEvent()], True),
        ([], False),
        (ProcessLookupError(), True),
        ([FakeEvent(errno.ESRCH)], True),
    ],
)
def test_handle_waits_by_kqueue(
    answer: list[object] | Exception,
    came: bool,
    child: "subprocess.Popen[bytes]",
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On macOS and the BSDs it waits for the event, and closes the queue."""
    monkeypatch.setattr(FakeQueue, "answer", answer, raising=False)
    assert _handle._exits(child.pid, 1.5) is came
    assert FakeQueue.asked == [(child.pid, "proc", "exit"), 1, 1.5]
    assert FakeQueue.closed


@pytest.mark.usefixtures("_kqueue")
@pytest.mark.parametrize("grace", [1.5, 1e300])
def test_handle_waits_after_the_event_until_the_process_can_be_reaped(
    grace: float, child: "subprocess.Popen[bytes]", monkeypatch: pytest.MonkeyPatch
) -> None:
    """The event comes first; no system is asked to wait for long."""

    class Queue(FakeQueue):
        answer: list[object] | Exception = [FakeEvent()]  # noqa: RUF012

        def control(self, changes: list[object], count: int, timeout: float) -> object:
            child.terminate()
            return super().control(changes, count, timeout)

    monkeypatch.setattr(select, "kqueue", Queue)
    handle = BY_PSUTIL(child.pid)
    assert handle.wait(grace)
    assert Queue.asked[-1] == _handle.STEP
    assert psutil.Process(child.pid).status() == psutil.STATUS_ZOMBIE


@pytest.mark.usefixtures("_kqueue")
def test_handle_without_an_event_is_alive(
    child: "subprocess.Popen[bytes]", monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the time is over."""
    monkeypatch.setattr(FakeQueue, "answer", [], raising=False)
    assert not BY_PSUTIL(child.pid).wait(0.01)


@pytest.mark.usefixtures("_kqueue")
@pytest.mark.parametrize("dead", [True, False])
@pytest.mark.parametrize(
    "answer", [OSError(errno.EMFILE, "too many"), [FakeEvent(errno.EACCES)]]
)
def test_handle_looks_where_kqueue_refuses(
    answer: list[object] | Exception,
    dead: bool,
    child: "subprocess.Popen[bytes]",
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An error is no exit."""
    handle: Any = BY_PSUTIL(child.pid)
    looks = iter([False, dead, dead, dead, dead])
    monkeypatch.setattr(FakeQueue, "answer", answer, raising=False)
    monkeypatch.setattr(handle, "_is_dead", lambda: next(looks))
    assert handle.wait(0.001) is dead


def imitate_kevent(ident: int, filter: str, fflags: str) -> object:  # noqa: A002
    """What select.kevent() takes."""
    return ident, filter, fflags


@pytest.fixture
def on_windows(
    child: "subprocess.Popen[bytes]", monkeypatch: pytest.MonkeyPatch
) -> Any:
    """The child, held as on Windows."""
    handle = BY_PSUTIL(child.pid)
    monkeypatch.setattr(sys, "platform", "win32")
    return handle


@pytest.mark.parametrize(("grace", "asked"), [(-1, 0), (1e300, _handle.STEP)])
@pytest.mark.parametrize("code", [15, None])
def test_handle_waits_by_psutil_on_windows(
    grace: float,
    asked: float,
    code: int | None,
    on_windows: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """There psutil waits for the process's handle, and may learn the exit code."""

    def wait(timeout: float) -> int | None:
        assert timeout == asked
        return code

    monkeypatch.setattr(on_windows._process, "wait", wait)
    assert on_windows.wait(grace)
    assert on_windows.exit_code() == code
    assert on_windows.exit_code(reap=True) == code  # os.waitpid() is another there.


@pytest.mark.parametrize("error", [psutil.TimeoutExpired(1), psutil.AccessDenied()])
def test_handle_of_a_living_process_is_no_dead_one_on_windows(
    error: Exception, on_windows: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the time is over, and also where it may not wait for the handle."""

    def wait(_: float) -> None:
        raise error

    monkeypatch.setattr(on_windows._process, "wait", wait)
    assert not on_windows.wait(0.01)


def test_handle_does_not_wait_for_whom_got_its_pid(
    on_windows: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Psutil waits for whatever process has the pid."""
    monkeypatch.setattr(on_windows._process, "is_running", lambda: False)
    assert on_windows.wait(DEADLINE)


def test_handle_resumes_nobody_on_windows(
    on_windows: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What dies of TerminateProcess cannot be resumed, and need not be."""
    told: list[str] = []
    for verb in ("terminate", "resume", "suspend", "kill"):
        monkeypatch.setattr(
            on_windows._process, verb, lambda verb=verb: told.append(verb)
        )
        on_windows.tell(verb)
    assert told == ["terminate", "suspend", "kill"]


@pytest.mark.parametrize("kind", ["Popen", "psutil", "Process"])
@pytest.mark.parametrize("alive", [True, False])
def test_status_is_asked_of_the_object_on_windows(
    kind: str, alive: bool, child: "subprocess.Popen[bytes]"
) -> None:
    """Nobody can reap there; a psutil.Process knows what waiting has told."""
    worker = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,))
    worker.start()
    objects: dict[str, Any] = {
        "Popen": child,
        "psutil": psutil.Process(child.pid),
        "Process": worker,
    }
    target = Target(objects[kind], "stop")
    handle = target.find() if alive else None
    for number in (worker.pid, child.pid):
        assert number
        os.kill(number, signal.SIGTERM)
        os.waitid(os.P_PID, number, os.WEXITED | os.WNOWAIT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "platform", "win32")
        if handle:
            patch.setattr(handle, "exit_code", lambda: 15)
        found = target.status().code
    worker.join()
    target.close()
    if kind == "psutil":
        assert found == (15 if alive else None)
    else:
        assert found == -15


class Started:
    """A process that started at a time; the parent of another, if that is given."""

    def __init__(self, started: float, parent: int = 0) -> None:
        self.started = started
        self.parent = parent

    def ppid(self) -> int:
        """The pid of its parent."""
        return self.parent

    def create_time(self) -> float:
        """When it started."""
        return self.started


@pytest.mark.parametrize(
    ("system", "started", "found"),
    [
        ("win32", 9.0, 77),
        ("win32", 11.0, 0),
        ("win32", None, 77),
        ("darwin", 11.0, 77),
    ],
)
def test_parent_that_is_younger_than_its_child_is_none_on_windows(
    system: str,
    started: float | None,
    found: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Windows names a parent that is dead, and gives its pid to another."""

    def look(pid: int) -> Started:
        if started is None:
            raise psutil.NoSuchProcess(pid)
        return Started(started)

    child: Any = Started(10.0, parent=77)
    with monkeypatch.context() as patch:
        patch.setattr(psutil, "Process", look)
        patch.setattr(sys, "platform", system)
        assert _census._parent(child) == found


@pytest.mark.parametrize("number", [errno.ENOENT, errno.EINVAL])
def test_hold_finds_nobody_where_a_process_is_being_reaped(
    number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For a moment the kernel knows the pid, and no process."""
    fail_to_open(monkeypatch, number)
    with pytest.raises(ProcessLookupError):
        hold(os.getpid())


def test_handle_forgets_that_an_earlier_signal_was_forbidden(
    child: "subprocess.Popen[bytes]", monkeypatch: pytest.MonkeyPatch
) -> None:
    """What counts is whether the last one was."""
    with BY_PSUTIL(child.pid) as handle:
        with monkeypatch.context() as patch:
            patch.setattr(handle, "_tell", forbid)
            handle.tell("terminate")
            assert handle.forbidden
        handle.tell("kill")
        assert not handle.forbidden
        assert handle.wait(DEADLINE)


def forbid(_: str) -> None:
    """What the system says where it forbids a signal."""
    raise PermissionError(errno.EPERM, "Operation not permitted")


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_library_is_imported_where_python_has_less(system: str) -> None:
    """Without what `os`, `signal` and `select` do not have on another system."""
    missing = {
        "os": ["pidfd_open", "waitid", "waitid_result", "P_PIDFD"],
        "select": ["poll"] if system == "win32" else [],
        "signal": ["pidfd_send_signal"],
    }
    if system == "win32":
        missing["os"] += ["WNOHANG", "WNOWAIT", "WEXITED", "CLD_EXITED", "P_PID"]
        missing["signal"] += ["SIGKILL", "SIGSTOP", "SIGCONT"]
    program = f"""
        import multiprocessing.forkserver, os, select, signal, subprocess, sys, psutil
        for module, names in {missing}.items():
            for name in names:
                delattr(sys.modules[module], name)
        sys.platform = {system!r}
        import process_terminate
        print(len(process_terminate.__all__))
    """
    said = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert (said.stdout, said.stderr) == ("9\n", "")


def test_handle_sees_a_process_vanish_while_it_looks(
    child: "subprocess.Popen[bytes]", monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that is gone between two looks is dead."""
    handle: Any = BY_PSUTIL(child.pid)

    def status() -> str:
        raise psutil.NoSuchProcess(child.pid)

    with monkeypatch.context() as patch:
        patch.setattr(handle._process, "status", status)
        assert handle.wait()


def test_handle_of_a_process_that_hides_is_alive(
    child: "subprocess.Popen[bytes]", monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who may not ask for its state knows that there is one."""
    handle: Any = BY_PSUTIL(child.pid)

    def status() -> str:
        raise psutil.AccessDenied(child.pid)

    with monkeypatch.context() as patch:
        patch.setattr(handle._process, "status", status)
        assert not handle.wait()


def test_handle_without_waitid_has_no_exit_code_until_it_reaps(
    monkeypatch: pytest.MonkeyPatch, child: "subprocess.Popen[bytes]"
) -> None:
    """Python has no waitid on macOS before 3.13."""
    die(child)
    monkeypatch.delattr(os, "waitid")
    with BY_PSUTIL(child.pid) as handle:
        assert handle.exit_code() is None
        assert handle.exit_code(reap=True) == -signal.SIGTERM


def test_handle_has_no_exit_code_if_another_thread_reaps_first(
    monkeypatch: pytest.MonkeyPatch, child: "subprocess.Popen[bytes]"
) -> None:
    """Between the look who its parent is, and the reaping."""
    with BY_PSUTIL(child.pid) as handle:
        monkeypatch.setattr(handle, "is_child", lambda: True)
        child.kill()
        child.wait()
        assert handle.exit_code(reap=True) is None
