"""stop() and stop_all(): processes end for certain, and tell how."""

import asyncio
import multiprocessing
import multiprocessing.dummy
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

import psutil
import pytest
import workers
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence import examples
from evidence.measure import leftovers
from process_terminate import ExitStatus, _handle, _stop, stop, stop_all
from process_terminate._handle import Handle, hold

START_METHODS = tuple(examples.start_methods())
PROGRAMS = ("subprocess", "psutil")
KINDS = (*START_METHODS, *PROGRAMS)
#: Said of a worker that is stopped as on systems without a pidfd: by stop_all().
SLOWLY = "slowly"
#: Seconds for what takes milliseconds on an idle machine.
DEADLINE = 30.0

# What a child of subprocess does: a function of tests/workers.py, as others do.
PROGRAM = """
import sys, workers
from multiprocessing.connection import Connection
getattr(workers, sys.argv[1])(Connection(int(sys.argv[2])))
"""

# What a shell does: it tells by a line that it is ready.
REST = "echo; exec sleep 60"
DEAF = "trap '' TERM; echo; exec sleep 60"
EXIT_WITH_3 = "echo; exit 3"

TERMINATED = ExitStatus(-signal.SIGTERM)
KILLED = ExitStatus(-signal.SIGKILL)
UNKNOWN = ExitStatus(None)

linux = pytest.mark.skipif(sys.platform != "linux", reason="patches pidfds")


@dataclass
class Worker:
    """A process, and the object that a caller has of it."""

    process: Any
    pid: int
    reports: Connection

    def has_reported(self) -> bool:
        """Whether it has said something since it was ready."""
        try:
            return self.reports.poll() and bool(self.reports.recv())
        except EOFError:
            return False

    def code(self) -> int | None:
        """How it ended, by its own object."""
        match self.process:
            case BaseProcess():
                return self.process.exitcode
            case subprocess.Popen():
                return self.process.returncode
            case _:
                return int(self.process.wait(timeout=0))


Start = Callable[..., Worker]
Shell = Callable[..., "subprocess.Popen[bytes]"]


def both_ways(kinds: tuple[str, ...]) -> list[str]:
    """The kinds, with workers in both ways that `stop()` has for them."""
    ways = [(kind, f"{SLOWLY} {kind}") for kind in kinds if kind in START_METHODS]
    return [
        *(way for pair in ways for way in pair),
        *(kind for kind in kinds if kind in PROGRAMS),
    ]


def only(*kinds: str) -> pytest.MarkDecorator:
    """Let a test run with processes of some kinds, not of all."""
    return pytest.mark.parametrize("start", both_ways(kinds), indirect=True)


@pytest.fixture(autouse=True)
def _nothing_left() -> Iterator[None]:
    with leftovers.ended() as left:
        yield
    assert left == []


@pytest.fixture(params=both_ways(KINDS))
def start(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Start]:
    """Starts a worker, ready; ends and reaps it after the test."""
    way, _, kind = request.param.rpartition(" ")
    if way == SLOWLY:
        monkeypatch.setattr(_stop, "stop_worker", lambda _, grace: grace)
    run = start_program if kind in PROGRAMS else start_worker
    started: list[Any] = []
    pipes: list[Connection] = []

    def start(target: Callable[..., None] = workers.rest, *args: object) -> Worker:
        receiver, sender = multiprocessing.Pipe(duplex=False)
        pipes.append(receiver)
        with sender:
            process: Any = run(kind, target, sender, *args)
        started.append(process)
        assert receiver.poll(DEADLINE)
        assert receiver.recv() == "ready"
        shown = psutil.Process(process.pid) if kind == "psutil" else process
        return Worker(shown, process.pid, receiver)

    yield start
    for process in started:
        with suppress(ValueError):  # It is closed, so it is dead.
            process.kill()
            process.wait() if kind in PROGRAMS else process.join()
    for pipe in pipes:
        pipe.close()


def start_worker(
    method: str, target: Callable[..., None], sender: Connection, *args: object
) -> BaseProcess:
    """Start a function with multiprocessing."""
    context: Any = multiprocessing.get_context(method)
    worker: BaseProcess = context.Process(target=target, args=(sender, *args))
    worker.start()
    return worker


def start_program(
    _: str, target: Callable[..., None], sender: Connection
) -> "subprocess.Popen[bytes]":
    """Start a function as a program."""
    fd = sender.fileno()
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, target.__name__, str(fd)],
        pass_fds=[fd],
        env={**os.environ, "PYTHONPATH": str(examples.ROOT / "tests")},
    )


@pytest.fixture
def shell() -> Iterator[Shell]:
    """Starts a shell, which is ready sooner than a worker; ends it after the test."""
    started: list[subprocess.Popen[bytes]] = []

    def shell(command: str = REST) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(["/bin/sh", "-c", command], stdout=subprocess.PIPE)
        started.append(process)
        assert process.stdout
        assert process.stdout.readline() == b"\n"
        return process

    yield shell
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout
        process.stdout.close()


@pytest.fixture
def _no_signals(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fails the test at once if a signal is sent."""
    with monkeypatch.context() as patch:
        patch.setattr(Handle, "tell", lambda *_: pytest.fail("sent a signal"))
        yield


def is_running(pid: int) -> bool:
    """Whether there is such a process, and it is no zombie."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for something that nobody tells."""
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def die(worker: Worker) -> None:
    """End a worker by a signal of its own, and leave it unreaped."""
    os.kill(worker.pid, signal.SIGUSR1)
    wait_until(lambda: not is_running(worker.pid))


def steal(pid: int) -> None:
    """Kill a child and reap it behind the back of its object."""
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def run(program: str, *options: str) -> str:
    """Run a program of its own; what it prints."""
    done = subprocess.run(
        [sys.executable, *options, "-c", textwrap.dedent(program)],
        check=False,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        env={**os.environ, "PYTHONPATH": str(examples.ROOT / "tests")},
    )
    assert done.stderr == ""
    return done.stdout


# How processes end.


def test_stop_ends_a_worker_by_sigterm(start: Start) -> None:
    """The status is that of SIGTERM if the process does not mind."""
    assert stop(start().process) == TERMINATED


def test_stop_kills_after_the_grace(start: Start) -> None:
    """A process that ignores SIGTERM gets SIGKILL, and no sooner."""
    worker = start(workers.ignore_sigterm)
    before = time.monotonic()
    status = stop(worker.process, grace=0.2)
    assert status == KILLED
    assert time.monotonic() - before >= 0.2


@only("fork", "forkserver", "subprocess")
def test_stop_waits_all_steps_of_the_grace(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And kills no sooner."""
    monkeypatch.setattr(_handle, "STEP", 0.05)
    worker = start(workers.ignore_sigterm)
    before = time.monotonic()
    assert stop(worker.process, grace=0.17) == KILLED
    assert time.monotonic() - before >= 0.17


def to_this_process(number: int) -> None:
    """Send a signal as a terminal does: its main thread wakes up."""
    os.kill(os.getpid(), number)


def to_this_thread(number: int) -> None:
    """Send a signal that does not wake the main thread, which is to handle it.

    As one that comes just before the main thread begins to wait.
    """
    signal.pthread_kill(threading.get_ident(), number)


@pytest.mark.parametrize("send", [to_this_process, to_this_thread])
@only("fork", "forkserver", "subprocess")
def test_stop_kills_a_worker_when_interrupted(
    start: Start, send: Callable[[int], None]
) -> None:
    """Ctrl-C does not wait for the grace period, and leaves nothing behind."""
    worker = start(workers.report_sigterm)

    def interrupt() -> None:
        worker.reports.recv()
        send(signal.SIGINT)

    before = time.monotonic()
    with ThreadPoolExecutor(1) as pool:
        told = pool.submit(interrupt)
        with pytest.raises(KeyboardInterrupt):
            stop(worker.process, grace=DEADLINE)
        told.result()
    assert time.monotonic() - before < DEADLINE / 2
    assert not is_running(worker.pid)
    assert worker.code() == KILLED.code


@only("fork", "subprocess")
def test_stop_kills_a_worker_that_blocks_sigterm(start: Start) -> None:
    """A blocked SIGTERM is one that has not come."""
    worker = start(workers.block_sigterm)
    assert stop(worker.process, grace=0.1) == KILLED


def test_stop_without_grace_kills_at_once(start: Start) -> None:
    """No SIGTERM is sent, so no handler of it runs."""
    worker = start(workers.report_sigterm)
    assert stop(worker.process, grace=0) == KILLED
    assert not worker.has_reported()


def test_stop_ends_a_stopped_worker_by_sigterm(start: Start) -> None:
    """SIGCONT follows, or it could not hear SIGTERM."""
    worker = start()
    os.kill(worker.pid, signal.SIGSTOP)
    wait_until(lambda: psutil.Process(worker.pid).status() == psutil.STATUS_STOPPED)
    assert stop(worker.process) == TERMINATED


@only("fork", "subprocess")
def test_stop_leaves_a_worker_its_good_end(start: Start) -> None:
    """A process that answers SIGTERM with exit code 0 has succeeded."""
    worker = start(workers.exit_with_zero_on_sigterm)
    assert stop(worker.process).success


@only("fork", "forkserver", "subprocess", "psutil")
def test_stop_sees_a_worker_end_by_itself(start: Start) -> None:
    """What ends during the grace is not killed."""
    worker = start(workers.finish_soon)
    assert stop(worker.process, grace=DEADLINE).success


def test_stop_leaves_an_unreaped_worker_its_status(start: Start) -> None:
    """A process that is dead already has the status of its own death."""
    worker = start()
    die(worker)
    assert stop(worker.process) == ExitStatus(-signal.SIGUSR1)


@pytest.mark.usefixtures("_no_signals")
def test_stop_leaves_a_reaped_worker_alone(start: Start) -> None:
    """Its pid may be another's, so no signal is sent."""
    worker = start()
    die(worker)
    if isinstance(worker.process, BaseProcess):
        worker.process.join()
    else:
        worker.process.wait()
    assert stop(worker.process) == ExitStatus(-signal.SIGUSR1)


def test_stop_tells_the_object(start: Start) -> None:
    """The object of the process knows how it ended, and the process is reaped."""
    worker = start()
    stop(worker.process)
    assert worker.code() == -signal.SIGTERM
    assert not psutil.pid_exists(worker.pid)


@only(*START_METHODS)
def test_stop_leaves_a_worker_that_can_be_closed(start: Start) -> None:
    """The worker is no longer alive for multiprocessing, either."""
    worker = start()
    stop(worker.process)
    assert not worker.process.is_alive()
    worker.process.close()


def test_stop_of_psutil_popen_tells_the_status() -> None:
    """The class that is Popen and Process in one is taken, too."""
    process = psutil.Popen(["sleep", "60"])
    assert stop(process) == TERMINATED
    assert process.returncode == -signal.SIGTERM


@only("psutil")
def test_stop_ends_what_is_no_child(start: Start) -> None:
    """How it ended, only its parent can tell."""
    worker = start(workers.fork_a_child)
    grandchild = psutil.Process(worker.reports.recv())
    assert stop(grandchild) == UNKNOWN
    assert not is_running(grandchild.pid)


@only("fork", "spawn", "subprocess")
def test_stop_does_not_wait_for_a_grandchild(start: Start) -> None:
    """A grandchild that inherited the files of the process does not hold it up."""
    worker = start(workers.fork_a_child)
    grandchild = worker.reports.recv()
    before = time.monotonic()
    assert stop(worker.process, grace=DEADLINE) == TERMINATED
    assert time.monotonic() - before < DEADLINE / 2
    assert is_running(grandchild)
    os.kill(grandchild, signal.SIGKILL)


@only("fork")
def test_stop_waits_a_very_long_time(start: Start) -> None:
    """A grace of many years is as good as any other."""
    assert stop(start().process, grace=1e10) == TERMINATED


# The forkserver.


@only("forkserver")
@pytest.mark.parametrize("restarted", [False, True])
def test_stop_ends_a_worker_whose_forkserver_was_killed(
    restarted: bool, start: Start
) -> None:
    """Its own status is lost, but it is dead, which is_alive() would say any time."""
    worker = start()
    kill_forkserver(worker)
    if restarted:
        start()
    assert stop(worker.process) == ExitStatus(255)
    assert not is_running(worker.pid)


@only("forkserver")
def test_stop_spares_who_has_the_pid_of_a_lost_worker(
    start: Start, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker of a dead forkserver is known by its pipe, not by its pid."""
    worker, other = start(), shell()
    kill_forkserver(worker)
    os.kill(worker.pid, signal.SIGKILL)
    wait_until(lambda: not is_running(worker.pid))
    with monkeypatch.context() as patch:
        patch.setattr(worker.process._popen, "pid", other.pid)
        assert stop(worker.process) == ExitStatus(255)
    assert other.poll() is None


def test_lost_worker_without_a_pipe_is_not_recognised() -> None:
    """What cannot be looked at is not taken for the worker."""
    assert not _stop._holds_other_end(os.getpid(), -1)


def kill_forkserver(worker: Worker) -> None:
    """Kill the forkserver, and wait until multiprocessing can notice."""
    server: int = forkserver._forkserver._forkserver_pid  # type: ignore[attr-defined]
    os.kill(server, signal.SIGKILL)
    assert wait([worker.process.sentinel], DEADLINE)
    wait_until(lambda: not is_running(server))


# What others reap.


@only("fork", "subprocess", "psutil")
def test_stop_does_not_know_a_status_that_was_stolen(start: Start) -> None:
    """Of a child that somebody else has reaped, the status is unknown, not 0."""
    worker = start()
    steal(worker.pid)
    assert stop(worker.process) == UNKNOWN


@only("fork", "subprocess", "psutil")
def test_stop_ends_although_the_system_reaps(start: Start) -> None:
    """With SIGCHLD ignored nobody can tell the status, and nothing hangs."""
    worker = start()
    old = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        assert stop(worker.process) == UNKNOWN
    finally:
        signal.signal(signal.SIGCHLD, old)
    assert not psutil.pid_exists(worker.pid)


def test_program_that_ignores_sigchld_can_stop() -> None:
    """Nothing hangs in a program that has ignored SIGCHLD from its beginning."""
    program = """
        import multiprocessing, signal, subprocess, time
        from process_terminate import stop_all
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        process = multiprocessing.get_context("fork").Process(
            target=time.sleep, args=(60,), daemon=True
        )
        process.start()
        popen = subprocess.Popen(["sleep", "60"])
        print([status.code for status in stop_all([process, popen])])
    """
    assert run(program) == "[None, None]\n"


def reap_slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a thread pause between reaping a process and noting how it ended."""
    waitpid = os.waitpid

    def slowly(pid: int, options: int) -> tuple[int, int]:
        found = waitpid(pid, options)
        if found[0]:
            time.sleep(0.05)
        return found

    monkeypatch.setattr(os, "waitpid", slowly)


@only("fork", "subprocess")
def test_stop_knows_a_status_for_which_another_thread_waits(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread in join() or wait() reaps the process, and notes how it ended."""
    worker = start()
    process = worker.process
    join = process.join if isinstance(process, BaseProcess) else process.wait
    with monkeypatch.context() as patch:
        reap_slowly(patch)
        thread = threading.Thread(target=join)
        thread.start()
        status = stop(process)
        thread.join(DEADLINE)
    assert status == TERMINATED


@only("fork", "subprocess")
def test_stop_knows_a_status_that_another_stop_reaps(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Threads that stop one process do not take its status from each other."""
    worker = start()
    die(worker)
    with monkeypatch.context() as patch:
        reap_slowly(patch)
        with ThreadPoolExecutor(4) as pool:
            statuses = set(pool.map(stop, [worker.process] * 4))
    assert statuses == {ExitStatus(-signal.SIGUSR1)}


# Circumstances.


@only("fork", "subprocess")
def test_stop_from_many_threads_tells_each_the_same(start: Start) -> None:
    """One process, eight threads, one status."""
    worker = start()
    barrier = threading.Barrier(8)

    def stop_together(process: Any) -> ExitStatus:
        barrier.wait(DEADLINE)
        return stop(process)

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(stop_together, [worker.process] * 8))
    assert statuses == [TERMINATED] * 8


def test_stop_from_many_threads_does_not_mix_processes(shell: Shell) -> None:
    """Each of eight threads gets the status of its own process."""
    processes = [shell(DEAF if n % 2 else REST) for n in range(8)]
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda p: stop(p, grace=0.3), processes))
    assert statuses == [TERMINATED, KILLED] * 4


def test_stop_waits_the_whole_grace_despite_signals() -> None:
    """A signal every millisecond neither ends the wait nor lengthens it."""
    program = """
        import signal, subprocess, time
        from process_terminate import stop
        child = subprocess.Popen(
            ["sh", "-c", "trap '' TERM; echo; exec sleep 60"], stdout=subprocess.PIPE
        )
        child.stdout.readline()
        count = 0
        def handler(*_):
            global count
            count += 1
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
        before = time.monotonic()
        status = stop(child, grace=0.5)
        elapsed = time.monotonic() - before
        signal.setitimer(signal.ITIMER_REAL, 0)
        print(status.code, count > 20, 0.5 <= elapsed < 5)
    """
    assert run(program) == "-9 True True\n"


def test_stop_does_the_same_without_assertions() -> None:
    """Under python -O, too, processes end and a sibling is refused."""
    program = """
        import multiprocessing, subprocess, time
        import workers
        from process_terminate import stop_all
        fork = multiprocessing.get_context("fork")
        process = fork.Process(target=time.sleep, args=(60,), name="one")
        process.start()
        receiver, sender = fork.Pipe(duplex=False)
        sibling = fork.Process(target=workers.stop_another, args=(sender, process))
        sibling.start()
        print(receiver.recv())
        popen = subprocess.Popen(["sleep", "60"])
        print([status.code for status in stop_all([process, popen])])
        sibling.join()
    """
    assert run(program, "-O") == (
        "'one' was started by another process, and only that one can stop it\n"
        "[-15, -15]\n"
    )


# Several processes.


def test_stop_all_of_nothing_returns_nothing() -> None:
    """No process, no status."""
    assert stop_all([]) == []


def test_stop_all_takes_a_mixture(shell: Shell) -> None:
    """Processes of all kinds and start methods, in the order given."""
    processes: list[Any] = []
    for method in START_METHODS:
        context: Any = multiprocessing.get_context(method)
        processes.append(context.Process(target=time.sleep, args=(60,), daemon=True))
        processes[-1].start()
    processes += [shell(), psutil.Process(shell().pid)]
    assert stop_all(processes) == [TERMINATED] * len(processes)


@settings(max_examples=10, deadline=None, database=None)
@given(kinds=st.lists(st.sampled_from([REST, DEAF, EXIT_WITH_3]), max_size=5))
def test_stop_all_keeps_the_order(kinds: list[str]) -> None:
    """The statuses stand as the processes did, however each of them ends."""
    ends = {REST: TERMINATED, DEAF: KILLED, EXIT_WITH_3: ExitStatus(3)}
    processes = [
        subprocess.Popen(["/bin/sh", "-c", kind], stdout=subprocess.PIPE)
        for kind in kinds
    ]
    for kind, process in zip(kinds, processes, strict=True):
        assert process.stdout
        process.stdout.read() if kind == EXIT_WITH_3 else process.stdout.readline()
        process.stdout.close()
        if kind == EXIT_WITH_3:
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    statuses = stop_all(processes, grace=0.05 if DEAF in kinds else DEADLINE)
    assert statuses == [ends[kind] for kind in kinds]


def test_stop_all_has_one_deadline(shell: Shell) -> None:
    """Twenty deaf processes take one grace period, not twenty."""
    processes = [shell(DEAF) for _ in range(20)]
    before = time.monotonic()
    assert stop_all(processes, grace=0.3) == [KILLED] * 20
    assert 0.3 <= time.monotonic() - before < 3


def test_stop_all_takes_a_generator(shell: Shell) -> None:
    """Any iterable will do, also one that can be read once only."""
    assert stop_all(shell() for _ in range(3)) == [TERMINATED] * 3


@only("fork", "forkserver", "subprocess", "psutil")
def test_stop_all_takes_a_process_twice(start: Start) -> None:
    """The same object twice has the same status twice."""
    process = start().process
    assert stop_all([process, process]) == [TERMINATED] * 2


@only("fork", "subprocess")
@pytest.mark.parametrize("first", [True, False])
def test_stop_all_tells_the_object_beside_one_of_psutil(
    first: bool, start: Start
) -> None:
    """A process that is given in two ways is reaped through the object it has."""
    worker = start()
    other = psutil.Process(worker.pid)
    pair = [worker.process, other] if first else [other, worker.process]
    statuses = stop_all(pair)
    assert worker.code() == -signal.SIGTERM
    assert TERMINATED in statuses


@pytest.mark.usefixtures("_no_signals")
@pytest.mark.parametrize(
    "make",
    [
        lambda: None,
        multiprocessing.Process,
        multiprocessing.current_process,
        psutil.Process,
    ],
)
def test_stop_all_sends_nothing_if_one_is_wrong(
    make: Callable[[], Any], shell: Shell
) -> None:
    """All arguments are looked at before the first signal."""
    process = shell()
    with pytest.raises((TypeError, ValueError)):
        stop_all([process, make(), process])
    assert process.poll() is None


# Pids that belong to another by now.


@only(*KINDS)
def test_stop_spares_who_has_the_pid_of_a_reaped_worker(
    start: Start, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the object knows to be dead is not looked for by its pid."""
    worker, other = start(), shell()
    stop(worker.process)
    with monkeypatch.context() as patch:
        give_pid(patch, worker.process, other.pid)
        assert stop(worker.process) == TERMINATED
    assert other.poll() is None


@only("fork", "spawn", "subprocess")
def test_stop_spares_who_has_the_pid_of_a_stolen_worker(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that is no child cannot be the one that was started."""
    worker, parent = start(), start(workers.fork_a_child)
    stranger = parent.reports.recv()
    steal(worker.pid)
    with monkeypatch.context() as patch:
        give_pid(patch, worker.process, stranger)
        assert stop(worker.process) == UNKNOWN
    assert is_running(stranger)
    os.kill(stranger, signal.SIGKILL)


@only("forkserver")
def test_stop_spares_who_has_the_pid_of_a_worker_just_reaped(
    start: Start, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The forkserver reaps before it tells: who is not its child is not meant."""
    worker, other = start(), shell()
    with monkeypatch.context() as patch:
        patch.setattr(_stop, "LAST_WAIT", 0.01)
        give_pid(patch, worker.process, other.pid)
        assert stop(worker.process) == UNKNOWN
    assert other.poll() is None


@only("psutil")
def test_stop_spares_who_has_the_pid_of_another_psutil_process(
    start: Start, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A psutil.Process is its pid and its time of start."""
    worker, other = start(), shell()
    steal(worker.pid)
    with monkeypatch.context() as patch:
        give_pid(patch, worker.process, other.pid)
        patch.setattr(worker.process, "_ident", (other.pid, 0.0))
        stop(worker.process)
    assert is_running(other.pid)


def give_pid(patch: pytest.MonkeyPatch, process: Any, pid: int) -> None:
    """Let an object have the pid of another process, as if that came round."""
    if isinstance(process, psutil.Process):
        patch.setattr(process, "_pid", pid)
        patch.setattr(process._proc, "pid", pid)  # type: ignore[attr-defined]
    else:
        patch.setattr(getattr(process, "_popen", process), "pid", pid)


# What is refused.


@pytest.mark.usefixtures("_no_signals")
@pytest.mark.parametrize("grace", [None, "5", True, False, [], 1j])
def test_stop_refuses_a_grace_that_is_no_number(grace: Any, shell: Shell) -> None:
    """A TypeError shows what it got."""
    with pytest.raises(TypeError) as raised:
        stop(shell(), grace=grace)
    assert str(raised.value) == f"grace is a number of seconds, not {grace!r}"


@pytest.mark.usefixtures("_no_signals")
@pytest.mark.parametrize("grace", [-1, -0.001, float("nan"), float("inf")])
def test_stop_refuses_a_grace_without_end(grace: float, shell: Shell) -> None:
    """A ValueError shows what it got."""
    with pytest.raises(ValueError, match=r"^grace is 0 or more") as raised:
        stop(shell(), grace=grace)
    assert str(raised.value) == f"grace is 0 or more seconds, and finite, not {grace!r}"


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda: None, "builtins.NoneType"),
        (os.getpid, "builtins.int"),
        (lambda: multiprocessing.Process, "builtins.type"),
        (multiprocessing.dummy.Process, "multiprocessing.dummy.DummyProcess"),
        (lambda: subprocess.CompletedProcess("ls", 0), "subprocess.CompletedProcess"),
    ],
)
def test_stop_of_something_else_says_what_it_got(
    make: Callable[[], Any], kind: str
) -> None:
    """A TypeError names what stop() takes, and what it got."""
    with pytest.raises(
        TypeError,
        match=r"^stop\(\) takes a multiprocessing.Process, a subprocess.Popen "
        rf"or a psutil.Process, not {kind}: ",
    ):
        stop(make())


def test_stop_of_an_asyncio_process_says_so() -> None:
    """Only its event loop may wait for it."""

    async def stop_it() -> int:
        process: Any = await asyncio.create_subprocess_exec("sleep", "60")
        try:
            with pytest.raises(TypeError, match=r"not asyncio.subprocess.Process: "):
                stop(process)
        finally:
            process.kill()
        return int(await asyncio.wait_for(process.wait(), DEADLINE))

    assert asyncio.run(stop_it()) == -signal.SIGKILL


def test_stop_before_start_says_so() -> None:
    """The message names the process and what to do."""
    with pytest.raises(
        ValueError, match=r"^'one' was not started: call start\(\) first$"
    ):
        stop(multiprocessing.Process(name="one"))


def test_stop_after_close_says_so() -> None:
    """The message names the process and the order of the calls."""
    process = multiprocessing.Process(name="one")
    process.close()
    with pytest.raises(
        ValueError, match=r"^'one' is closed: stop\(\) comes before close\(\)$"
    ):
        stop(process)


def test_stop_of_the_calling_process_says_so() -> None:
    """A process does not end itself through its own object."""
    with pytest.raises(
        ValueError, match=r"^'MainProcess' is the calling process: use sys\.exit\(\)$"
    ):
        stop(multiprocessing.current_process())


@pytest.mark.parametrize("method", START_METHODS)
def test_stop_of_the_parent_says_so(method: str) -> None:
    """A child has an object for its parent, and cannot end it by that."""
    context: Any = multiprocessing.get_context(method)
    assert said_by(context, workers.stop_another) == (
        "'MainProcess' is the parent: a child cannot stop() it"
    )


@only("fork")
def test_stop_of_a_sibling_says_so(start: Start) -> None:
    """Only the process that has started another can reap it, or knows it at all."""
    worker = start()
    context: Any = multiprocessing.get_context("fork")
    said = said_by(context, workers.stop_another, worker.process)
    assert said == (
        f"{worker.process.name!r} was started by another process, "
        "and only that one can stop it"
    )
    assert is_running(worker.pid)


def said_by(context: Any, target: Callable[..., None], *args: object) -> str:
    """What a child tells about its attempt."""
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=target, args=(sender, *args))
    child.start()
    try:
        assert receiver.poll(DEADLINE)
        return str(receiver.recv())
    finally:
        child.kill()
        child.join()


def test_stop_of_psutil_itself_says_so() -> None:
    """Nor does it end itself by its pid."""
    with pytest.raises(ValueError, match=r"is the calling process: use sys\.exit\(\)$"):
        stop(psutil.Process())


@pytest.mark.usefixtures("_no_signals")
def test_stop_of_an_ancestor_says_so() -> None:
    """Neither the parent nor one of the parent's parents is ended."""
    for ancestor in psutil.Process().parents():
        with pytest.raises(ValueError, match=r"is an ancestor of the calling process$"):
            stop(ancestor)


# What the system refuses.


def pid_of(fd: int) -> int:
    """Whose pidfd it is."""
    with open(f"/proc/self/fdinfo/{fd}") as file:  # noqa: PTH123, as it is no file
        return next(int(line.split()[1]) for line in file if line.startswith("Pid:"))


def wait_for_sleep(*processes: "subprocess.Popen[bytes]") -> None:
    """Wait until shells have become what they are described as."""
    for process in processes:
        shown = psutil.Process(process.pid)
        wait_until(lambda p=shown: (p.name(), p.status()) == ("sleep", "sleeping"))  # type: ignore[misc]


def forbid(patch: pytest.MonkeyPatch, *pids: int) -> None:
    """Let some processes run as another user, so to say."""
    send = signal.pidfd_send_signal

    def send_unless_forbidden(fd: int, number: int) -> None:
        if pid_of(fd) in pids:
            raise PermissionError(1, "Operation not permitted")
        send(fd, number)

    patch.setattr(signal, "pidfd_send_signal", send_unless_forbidden)


@linux
def test_stop_all_names_who_may_not_be_signalled(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message names each such process, when the others have been ended."""
    processes = [shell(DEAF), shell(), shell(DEAF), shell()]
    wait_for_sleep(*processes)
    first, last = processes[1].pid, processes[3].pid
    with monkeypatch.context() as patch:
        forbid(patch, first, last)
        with pytest.raises(PermissionError) as raised:
            stop_all(processes, grace=0.2)
    assert str(raised.value) == (
        f"not permitted to signal pid {first} (sleep, sleeping), "
        f"pid {last} (sleep, sleeping)"
    )
    assert [p.poll() for p in processes] == [-9, None, -9, None]


@linux
def test_stop_all_does_not_mind_who_ends_unsignalled(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that ends by itself need not be signalled."""
    process = shell("echo; sleep 0.2; exit 3")
    with monkeypatch.context() as patch:
        forbid(patch, process.pid)
        assert stop(process, grace=DEADLINE) == ExitStatus(3)


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() != 0, reason="only root can become another"
)
def test_stop_by_another_user_is_not_permitted(shell: Shell) -> None:
    """So it is with two real users."""
    process = shell()
    wait_for_sleep(process)
    program = f"""
        import os, psutil
        from process_terminate import stop
        process = psutil.Process({process.pid})
        os.setuid(65534)
        try:
            stop(process, grace=0.1)
        except PermissionError as error:
            print(error)
    """
    said = run(program)
    assert said == f"not permitted to signal pid {process.pid} (sleep, sleeping)\n"
    assert process.poll() is None


@linux
def test_stop_all_names_who_does_not_die(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that is alive long after SIGKILL is named, the others are reaped."""
    processes = [shell(), shell(), shell()]
    wait_for_sleep(*processes)
    undying = processes[1].pid
    with monkeypatch.context() as patch:
        patch.setattr(_stop, "LAST_WAIT", 0.1)
        let_live(patch, undying)
        with pytest.raises(TimeoutError) as raised:
            stop_all(processes, grace=0.1)
    assert str(raised.value).startswith(
        f"alive 0.1 s after SIGKILL: pid {undying} (sleep, "
    )
    assert [p.returncode for p in processes] == [-15, None, -15]


def let_live(patch: pytest.MonkeyPatch, pid: int) -> None:
    """Let a process be in an uninterruptible system call, so to say."""

    def hold_for_ever(wanted: int) -> Handle:
        handle = hold(wanted)
        if wanted == pid:
            patch.setattr(handle, "wait", lambda timeout=0.0: time.sleep(timeout))
        return handle

    patch.setattr(_stop, "hold", hold_for_ever)


@linux
def test_stop_all_names_who_may_not_be_signalled_beside_who_does_not_die(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a note of the error."""
    processes = [shell(), shell()]
    wait_for_sleep(*processes)
    undying, forbidden = (process.pid for process in processes)
    with monkeypatch.context() as patch:
        patch.setattr(_stop, "LAST_WAIT", 0.1)
        let_live(patch, undying)
        forbid(patch, forbidden)
        with pytest.raises(TimeoutError, match=f"pid {undying} ") as raised:
            stop_all(processes, grace=0)
    (note,) = raised.value.__notes__
    assert note == f"not permitted to signal pid {forbidden} (sleep, sleeping)"


@linux
@pytest.mark.parametrize("call", ["stop", "stop_tree"])
def test_forked_process_cannot_stop_the_popen_of_its_parent(
    call: str, shell: Shell
) -> None:
    """It says so, and does not say that the process has ended."""
    process = shell()
    context: Any = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    other = context.Process(target=workers.try_call, args=(sender, call, process))
    other.start()
    said = receiver.recv()
    other.join()
    assert said == (
        f"ValueError: pid {process.pid} was started by another process, "
        "and only that one can stop it"
    )
    assert process.poll() is None


@pytest.mark.usefixtures("_no_signals")
def test_stop_refuses_a_popen_of_who_is_older_than_the_caller(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is older than the process that has started it."""
    process = shell()
    with monkeypatch.context() as patch:
        give_pid(patch, process, os.getppid())
        with pytest.raises(ValueError, match="was started by another process"):
            stop(process)


@linux
def test_stop_lets_go_of_everything(shell: Shell) -> None:
    """No file descriptor is left, however it ends."""
    process = shell()
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    stop(process)
    stop(process)
    with suppress(TypeError):
        stop_all([process, None])  # type: ignore[list-item]
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_stop_refuses_a_grace_beyond_all_floats() -> None:
    """An integer that no float can hold is no finite time, either."""
    with pytest.raises(ValueError, match=r"^grace is 0 or more seconds, and finite"):
        stop_all([], grace=10**400)


def test_stop_refuses_a_worker_of_another_process() -> None:
    """Only the process that started a worker can wait for it."""
    worker: Any = multiprocessing.get_context("spawn").Process(name="theirs")
    worker.start()
    ours, worker._parent_pid = worker._parent_pid, 1
    with pytest.raises(ValueError, match=r"^'theirs' was started by another process"):
        stop(worker)
    worker._parent_pid = ours
    stop(worker)
