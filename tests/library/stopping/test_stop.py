"""stop() and stop_all(): processes end, and how they ended is known."""

import asyncio
import gc
import inspect
import logging
import multiprocessing
import multiprocessing.dummy
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from multiprocessing import forkserver
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
import workers
from support import (
    DEADLINE,
    FORK,
    IGNORE,
    IS_WINDOWS,
    KILLED,
    KINDS,
    METHODS,
    REST,
    TERMINATED,
    UNKNOWN,
    Shell,
    Start,
    Worker,
    as_root,
    closed,
    fail,
    forbid,
    is_running,
    not_on_windows,
    posix_signals,
    reaps,
    run,
    wait_until,
)

import process_terminate.aio
from process_terminate import ExitStatus, aio, stop, stop_all
from process_terminate._process import stdlib, waits
from process_terminate._process.handle import Handle

each_kind = pytest.mark.parametrize("kind", KINDS)
child_kinds = pytest.mark.parametrize("kind", [FORK, "subprocess"])
main_kinds = pytest.mark.parametrize("kind", [FORK, "forkserver", "subprocess"])


@pytest.fixture
def _no_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail if a signal is sent."""
    monkeypatch.setattr(Handle, "send", lambda *_: pytest.fail("sent a signal"))


#: On Windows, os.kill() ends a process with any number as its exit code.
DEATH = getattr(signal, "SIGUSR1", 7)


def die(worker: Worker) -> None:
    """End a worker by a signal, and leave it unreaped."""
    os.kill(worker.pid, DEATH)
    wait_until(lambda: not is_running(worker.pid))


def reap_elsewhere(worker: Worker) -> None:
    """Kill a child, and reap it without its object."""
    os.kill(worker.pid, signal.SIGKILL)
    os.waitpid(worker.pid, 0)


# How processes end.


ENDS = [("rest", 5, TERMINATED), ("ignore_sigterm", 0.2, KILLED)]
MORE_ENDS = [
    ("block_sigterm", 0.2, KILLED),
    ("exit_with_zero_on_sigterm", DEADLINE, ExitStatus(0)),
    ("finish_soon", DEADLINE, ExitStatus(0)),
    ("rest", 0, KILLED),
]


@pytest.mark.parametrize("method", METHODS)
def test_stop_beside_a_thread_that_joins_leaves_both_the_true_exit_code(
    method: str,
) -> None:
    """Of two threads that ask a forkserver, the second one gets 255."""
    context: Any = multiprocessing.get_context(method)
    for _ in range(5):
        process = context.Process(target=time.sleep, args=(60,))
        process.start()
        thread = threading.Thread(target=process.join)
        thread.start()
        if not IS_WINDOWS:  # There, any number of threads can ask.
            wait_until(lambda p=process: stdlib.is_polled(p))  # type: ignore[misc]
        assert stop(process) == TERMINATED
        thread.join(DEADLINE)
        assert process.exitcode == TERMINATED.code


@pytest.mark.parametrize(
    ("kind", "task", "grace", "status"),
    [
        *((kind, *end) for kind in KINDS for end in ENDS),
        *((kind, *end) for kind in (FORK, "subprocess") for end in MORE_ENDS),
    ],
)
def test_stop_returns_how_the_process_ended(
    kind: str, task: str, grace: float, status: ExitStatus, start: Start
) -> None:
    worker = start(kind, task)
    before = time.monotonic()
    assert stop(worker.process, grace=grace) == status
    if status == KILLED != TERMINATED:
        assert time.monotonic() - before >= grace
    assert worker.code() == status.code
    assert not psutil.pid_exists(worker.pid)


@main_kinds
def test_stop_sends_the_first_signal_that_is_given(kind: str, start: Start) -> None:
    worker = start(kind, "report_signals")
    assert stop(worker.process, grace=0.3, signal=signal.SIGINT) == KILLED
    assert worker.report() == "SIGINT"
    with pytest.raises(EOFError):
        worker.report()


@each_kind
def test_stop_without_grace_sends_no_first_signal(kind: str, start: Start) -> None:
    worker = start(kind, "report_signals")
    assert stop(worker.process, grace=0) == KILLED
    with pytest.raises(EOFError):
        worker.report()


@each_kind
def test_stop_continues_a_stopped_process(kind: str, start: Start) -> None:
    worker = start(kind)
    process = psutil.Process(worker.pid)
    process.suspend()
    if not IS_WINDOWS:  # There, Wine shows no process as suspended.
        wait_until(lambda: process.status() == psutil.STATUS_STOPPED)
    assert stop(worker.process) == TERMINATED


@each_kind
@pytest.mark.parametrize("reaped", [False, True])
def test_stop_leaves_a_dead_process_its_status(
    kind: str, reaped: bool, start: Start
) -> None:
    worker = start(kind)
    die(worker)
    if reaped and kind != "psutil":
        worker.process.join() if kind in METHODS else worker.process.wait()
    for _ in range(2):
        status = ExitStatus(DEATH if IS_WINDOWS else -DEATH)
        if IS_WINDOWS and kind == "psutil":
            status = UNKNOWN
        assert stop(worker.process) == status


@pytest.mark.parametrize("kind", METHODS)
def test_stopped_worker_can_be_closed(kind: str, start: Start) -> None:
    worker = start(kind)
    stop(worker.process)
    assert not worker.process.is_alive()
    assert worker.process not in multiprocessing.active_children()
    worker.process.close()


def test_stop_of_a_process_that_is_no_child_has_no_exit_code(start: Start) -> None:
    worker = start("fork", "fork_a_child")
    grandchild = psutil.Process(worker.report())
    status = stop(grandchild)
    assert status == UNKNOWN
    assert str(status) == "ended; its exit code is not available here"
    assert not is_running(grandchild.pid)


@pytest.mark.parametrize("kind", ["fork", "spawn", "subprocess"])
def test_stop_does_not_wait_for_a_grandchild(kind: str, start: Start) -> None:
    worker = start(kind, "fork_a_child")
    grandchild = psutil.Process(worker.report())
    before = time.monotonic()
    assert stop(worker.process, grace=DEADLINE) == TERMINATED
    assert time.monotonic() - before < DEADLINE / 2
    assert is_running(grandchild.pid)
    grandchild.kill()


def test_stop_does_not_reap_a_child_given_as_psutil_process(shell: Shell) -> None:
    """Another object may have to reap it."""
    process = shell(REST)
    assert stop(psutil.Process(process.pid)) == TERMINATED
    assert process.poll() == TERMINATED.code


@reaps
def test_child_as_psutil_process_is_left_to_its_popen_without_waitid(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PyPy lacks it. Popen would note 0, that is success, for what is reaped elsewhere."""
    child = shell(REST)
    monkeypatch.delattr(os, "waitid", raising=False)
    assert stop(psutil.Process(child.pid)).code is None
    assert child.wait(DEADLINE) == -signal.SIGTERM


# What interrupts.


class Timer(Exception):  # noqa: N818
    """What a handler raises."""


@posix_signals
@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("fork", KeyboardInterrupt),
        ("forkserver", SystemExit),
        ("subprocess", Timer),
    ],
)
def test_exception_while_stop_waits_kills_and_reaps(
    kind: str, error: type[BaseException], start: Start, handler: Any
) -> None:
    """Whatever it is, in another thread or here."""
    handler(signal.SIGUSR2, fail(error))
    worker = start(kind, "report_signals")

    def interrupt() -> None:
        worker.report()
        os.kill(os.getpid(), signal.SIGUSR2)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(error):
        stop(worker.process, grace=DEADLINE)
    thread.join(DEADLINE)
    assert worker.code() == -signal.SIGKILL


@posix_signals
def test_exception_while_stop_waits_notes_what_it_could_not_stop(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, handler: Any
) -> None:
    process = shell(IGNORE)
    monkeypatch.setattr(Handle, "send", lambda h, _: setattr(h, "forbidden", True))
    handler(signal.SIGALRM, fail(Timer))
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    with pytest.raises(Timer) as raised:
        stop(process, grace=DEADLINE)
    assert raised.value.__notes__[0].startswith("PermissionError: not permitted")
    assert process.poll() is None


@posix_signals
def test_signals_neither_end_nor_lengthen_the_grace_period(
    shell: Shell, handler: Any
) -> None:
    calls: list[int] = []
    handler(signal.SIGALRM, lambda number, _: calls.append(number))
    process = shell(IGNORE)
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    before = time.monotonic()
    try:
        assert stop(process, grace=0.6) == KILLED
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    assert 0.6 <= time.monotonic() - before < 10
    assert len(calls) > 20


@posix_signals
def test_exception_during_the_kill_comes_after_all_are_killed(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, handler: Any
) -> None:
    """For stop_all(): SIGINT arrives with each SIGKILL."""
    handler(signal.SIGINT, signal.default_int_handler)
    processes = [shell(IGNORE) for _ in range(4)]
    send = Handle.send

    def send_and_interrupt(handle: Handle, number: signal.Signals) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        send(handle, number)

    monkeypatch.setattr(Handle, "send", send_and_interrupt)
    with pytest.raises(KeyboardInterrupt):
        stop_all(processes, grace=0)
    assert [process.wait(DEADLINE) for process in processes] == [-9] * 4


# What others reap, and what cannot be reaped.


@reaps
@pytest.mark.parametrize("kind", ["fork", "spawn", "subprocess"])
def test_status_of_a_process_reaped_elsewhere_is_unknown(
    kind: str, start: Start
) -> None:
    worker = start(kind)
    reap_elsewhere(worker)
    assert stop(worker.process) == UNKNOWN


@posix_signals
@child_kinds
def test_stop_ends_while_sigchld_is_ignored(kind: str, start: Start) -> None:
    worker = start(kind)
    old = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        assert stop(worker.process) == UNKNOWN
    finally:
        signal.signal(signal.SIGCHLD, old)
    assert not psutil.pid_exists(worker.pid)


@posix_signals
def test_workers_that_the_system_reaps_share_one_wait() -> None:
    """One of them waits 0.3 seconds for a thread that may note its exit code."""
    program = """
        import multiprocessing, signal, time
        from process_terminate import stop_all
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        context = multiprocessing.get_context("fork")
        several = [context.Process(target=time.sleep, args=[60]) for _ in range(12)]
        for one in several:
            one.start()
        began = time.monotonic()
        print(set(stop_all(several)), time.monotonic() - began < 2.5)
    """
    assert run(program) == "{ExitStatus(code=None)} True\n"


@reaps
@child_kinds
def test_status_is_known_when_another_thread_reaps(
    kind: str, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread in join() or wait() notes the exit code a moment later."""
    worker = start(kind)
    waitpid = os.waitpid

    def slowly(pid: int, options: int) -> tuple[int, int]:
        found = waitpid(pid, options)
        if found[0]:
            time.sleep(0.05)
        return found

    monkeypatch.setattr(os, "waitpid", slowly)
    process = worker.process
    join = process.join if isinstance(process, BaseProcess) else process.wait
    with ThreadPoolExecutor(4) as pool:
        joined = pool.submit(join)
        assert set(pool.map(stop, [process] * 3)) == {TERMINATED}
        joined.result(DEADLINE)


TRACER = """
import ctypes, sys, time
ptrace = ctypes.CDLL(None).ptrace
ptrace.argtypes = [ctypes.c_long] * 4
assert ptrace(0x4206, int(sys.argv[1]), 0, 0) == 0  # PTRACE_SEIZE
print(flush=True)
time.sleep(60)
"""


@not_on_windows("traces by ptrace()")
@pytest.mark.parametrize("kind", ["fork", "forkserver", "subprocess"])
def test_stop_returns_when_a_debugger_keeps_the_dead_process(
    kind: str, start: Start
) -> None:
    """The process is dead, and no parent can reap it."""
    worker = start(kind)
    tracer = subprocess.Popen(
        [sys.executable, "-c", TRACER, str(worker.pid)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert tracer.stdout
    with tracer.stdout:
        can_trace = tracer.stdout.readline() == b"\n"
    before = time.monotonic()
    status = stop(worker.process, grace=1)
    elapsed = time.monotonic() - before
    tracer.kill()
    tracer.wait(DEADLINE)
    if not can_trace:
        pytest.skip("ptrace is not permitted")
    assert status == UNKNOWN
    assert elapsed < 11


@posix_signals
@pytest.mark.parametrize("restarted", [False, True])
def test_stop_ends_a_worker_whose_forkserver_was_killed(
    restarted: bool, start: Start
) -> None:
    worker = start("forkserver")
    server: int = forkserver._forkserver._forkserver_pid  # type: ignore[attr-defined]
    os.kill(server, signal.SIGKILL)
    assert wait([worker.process.sentinel], DEADLINE)
    wait_until(lambda: not is_running(server))
    if restarted:
        start("forkserver")
    assert stop(worker.process) == ExitStatus(255)
    assert not is_running(worker.pid)


# Circumstances.


@child_kinds
def test_stop_from_many_threads_returns_one_status(kind: str, start: Start) -> None:
    process = start(kind).process
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(stop, [process] * 8)) == [TERMINATED] * 8


@not_on_windows("forks, and starts sleep")
def test_stop_works_without_assertions() -> None:
    program = """
        import multiprocessing, subprocess, time
        import workers
        from process_terminate import stop_all
        fork = multiprocessing.get_context("fork")
        process = fork.Process(target=time.sleep, args=(60,), name="one")
        process.start()
        receiver, sender = fork.Pipe(duplex=False)
        sibling = fork.Process(target=workers.call, args=(sender, "stop", process))
        sibling.start()
        print(receiver.recv())
        popen = subprocess.Popen(["sleep", "60"])
        print([status.code for status in stop_all([process, popen])])
        sibling.join()
    """
    assert run(program, options=("-O",)) == (
        "process 'one' was started by another process; "
        "only that process can stop it\n[-15, -15]\n"
    )


@posix_signals
def test_sigkill_after_the_grace_period_is_logged(
    shell: Shell, caplog: pytest.LogCaptureFixture
) -> None:
    process = shell(IGNORE)
    found = psutil.Process(process.pid)
    wait_until(lambda: (found.name(), found.status()) == ("sleep", "sleeping"))
    with caplog.at_level(logging.DEBUG, "process_terminate"):
        stop(process, grace=0.1)
    pid = process.pid
    assert [(r.levelname, r.getMessage()) for r in caplog.records] == [
        ("DEBUG", f"sent SIGTERM to pid {pid}"),
        ("DEBUG", f"sent SIGCONT to pid {pid}"),
        ("DEBUG", f"sent SIGKILL to pid {pid}"),
        (
            "WARNING",
            f"pid {pid} (sleep, sleeping) did not end within 0.1 s of SIGTERM; "
            "sent SIGKILL",
        ),
    ]


# Several processes.


def test_stop_all_of_nothing_returns_nothing() -> None:
    assert stop_all([]) == []


@reaps
def test_stop_all_keeps_the_order(shell: Shell) -> None:
    ends = {REST: TERMINATED, IGNORE: KILLED, "echo; exit 3": ExitStatus(3)}
    kinds = [*ends, *reversed(ends)]
    processes = [shell(kind) for kind in kinds]
    for process in (processes[2], processes[3]):
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert stop_all(processes, grace=0.2) == [ends[kind] for kind in kinds]


@not_on_windows("needs processes that ignore SIGTERM")
def test_stop_all_takes_any_iterable_of_any_mixture_within_one_grace_period(
    start: Start, shell: Shell
) -> None:
    workers = [start(kind, "ignore_sigterm").process for kind in KINDS]
    before = time.monotonic()
    processes = iter([*workers, workers[0], shell(IGNORE)])
    assert stop_all(processes, grace=0.3) == [KILLED] * (len(KINDS) + 2)
    assert 0.3 <= time.monotonic() - before < 0.3 * len(KINDS) + 5


@child_kinds
@pytest.mark.parametrize("first", [True, False])
def test_stop_all_reaps_through_the_object_and_tells_psutil_the_code_as_well(
    kind: str, first: bool, start: Start
) -> None:
    worker = start(kind)
    other = psutil.Process(worker.pid)
    both = [worker.process, other] if first else [other, worker.process]
    assert stop_all(both) == [TERMINATED, TERMINATED]
    assert worker.code() == TERMINATED.code


# Pids that another process has by now.


@not_on_windows("a handle keeps its pid from another process")
@pytest.mark.parametrize("kind", ["fork", "forkserver", "subprocess"])
@pytest.mark.parametrize("known", [True, False])
def test_stop_does_not_signal_a_reused_pid(
    kind: str, known: bool, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the object knows that its process is dead, or not yet."""
    worker, parent = start(kind), start("fork", "fork_a_child")
    stranger = parent.report()
    if known:
        stop(worker.process)
    elif kind == "forkserver":
        monkeypatch.setattr(waits, "NOTE_WAIT", 0.01)
    else:
        reap_elsewhere(worker)
    popen = getattr(worker.process, "_popen", worker.process)
    with monkeypatch.context() as patch:
        patch.setattr(popen, "pid", stranger)
        assert stop(worker.process) == (TERMINATED if known else UNKNOWN)
    assert is_running(stranger)
    os.kill(stranger, signal.SIGKILL)


# What is refused.


@pytest.mark.usefixtures("_no_signals")
@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"grace": None}, TypeError, "grace must be a number of seconds, got None"),
        ({"grace": "5"}, TypeError, r"got '5' \(str\)"),
        ({"grace": True}, TypeError, r"got True \(bool\)"),
        ({"grace": -1}, ValueError, "grace must be a finite number >= 0, got -1$"),
        ({"grace": float("nan")}, ValueError, "got nan$"),
        ({"grace": float("inf")}, ValueError, "got inf$"),
        ({"grace": 10**400}, ValueError, "got 1000"),
        ({"signal": "TERM"}, TypeError, r"signal must be a signal.*'TERM' \(str\)"),
        ({"signal": True}, TypeError, "signal must be a signal"),
        ({"signal": 0}, ValueError, "signal must be the number of a signal, got 0"),
    ],
)
def test_stop_refuses_a_wrong_option(
    options: dict[str, Any], error: type[Exception], message: str, shell: Shell
) -> None:
    process = shell(REST)
    with pytest.raises(error, match=message):
        stop(process, **options)
    assert process.poll() is None


@pytest.mark.parametrize(
    "make",
    [
        lambda: None,
        os.getpid,
        lambda: multiprocessing.Process,
        multiprocessing.dummy.Process,
        lambda: subprocess.CompletedProcess("ls", 0),
    ],
)
def test_stop_of_something_else_is_a_type_error(make: Callable[[], Any]) -> None:
    with pytest.raises(TypeError, match=r"^stop\(\) takes a multiprocessing.Process, "):
        stop(make())


def test_error_names_the_function_that_was_called() -> None:
    thing: Any = None
    with pytest.raises(TypeError, match=r"^stop_all\(\) takes a multiprocessing"):
        stop_all([thing])
    with pytest.raises(TypeError, match=r"^stop\(\) takes a multiprocessing"):
        asyncio.run(aio.stop(thing))


def test_stop_all_of_one_process_names_the_function_for_it() -> None:
    one: Any = psutil.Process()
    with pytest.raises(TypeError, match=r"^stop_all\(\) .* use stop\(\) for one"):
        stop_all(one)
    with pytest.raises(TypeError, match=r"^stop_all\(\) .* use stop\(\) for one"):
        asyncio.run(aio.stop_all(one))


def test_error_for_another_object_with_a_pid_names_psutil() -> None:
    """Such as one of plumbum or pexpect."""
    thing: Any = SimpleNamespace(pid=4711)
    with pytest.raises(TypeError, match=r"\(pass psutil.Process\(4711\) instead\)$"):
        stop(thing)


class Command:
    """A command of the package `sh`, whose repr() is what it has printed by its end."""

    def __repr__(self) -> str:
        raise AssertionError("this would wait")


def test_error_does_not_wait_for_the_text_of_an_object() -> None:
    for thing in (Command(), [Command()]):
        with pytest.raises(TypeError, match=r"got .*test_stop\.Command object at"):
            stop(thing)  # type: ignore[arg-type]


def test_stop_of_an_asyncio_process_names_the_function_for_it() -> None:
    async def stop_it() -> None:
        process: Any = await asyncio.create_subprocess_exec(*workers.SLEEP)
        with pytest.raises(TypeError, match=r"await process_terminate.aio.stop\("):
            stop(process)
        process.kill()
        await process.wait()

    asyncio.run(stop_it())


class Uninitialized(multiprocessing.Process):
    """A class whose author forgot something."""

    def __init__(self) -> None:
        pass


@pytest.mark.usefixtures("_no_signals")
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: multiprocessing.Process(name="one"), "'one' was not started; call st"),
        (Uninitialized, "Uninitialized) did not call super().__init__()"),
        (closed, "'one' is closed; call stop_all() before close()"),
        (multiprocessing.current_process, "is the calling process; call sys.exit()"),
        (psutil.Process, "is the calling process; call sys.exit()"),
        pytest.param(
            lambda: psutil.Process(os.getppid()),
            "is an ancestor of the calling process",
            marks=not_on_windows("what Linux has started on Wine has no parent there"),
        ),
    ],
)
def test_stop_all_sends_nothing_if_one_cannot_be_stopped(
    make: Callable[[], Any], message: str, shell: Shell
) -> None:
    process = shell(REST)
    with pytest.raises(ValueError, match="process") as raised:
        stop_all([process, make()])
    assert message in str(raised.value)
    assert process.poll() is None


@pytest.mark.parametrize(
    ("kind", "call"),
    [
        *product([FORK, "subprocess", "parent"], ["stop", "stop_tree"]),
        ("parent", "terminate"),
    ],
)
def test_child_cannot_stop_a_process_of_its_parent(
    kind: str, call: str, start: Start
) -> None:
    if IS_WINDOWS and kind != "parent":
        pytest.skip("passes the object of a process on by a fork")
    target = None if kind == "parent" else start(kind).process
    context: Any = multiprocessing.get_context(FORK)
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=workers.call, args=(sender, call, target))
    child.start()
    assert receiver.poll(DEADLINE)
    said = receiver.recv()
    child.join(DEADLINE)
    parent = f"is the parent; a child cannot {call}() it"
    assert ("started by another process" if target else parent) in said


# What the system refuses.


@not_on_windows("needs a process that ignores SIGTERM")
def test_stop_all_names_each_process_that_it_may_not_signal(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    processes = [shell(IGNORE), shell(IGNORE), shell(REST), shell(REST)]
    for process in processes:
        wait_until(lambda p=process: psutil.Process(p.pid).status() == "sleeping")  # type: ignore[misc]
    first, last = processes[1].pid, processes[3].pid
    with monkeypatch.context() as patch:
        forbid(patch, first, last)
        with pytest.raises(PermissionError) as raised:
            stop_all(processes, grace=0.2)
    assert str(raised.value) == (
        f"not permitted to signal pid {first} (sleep, sleeping), "
        f"pid {last} (sleep, sleeping)"
    )
    assert [p.poll() for p in processes] == [-9, None, -15, None]


def test_stop_needs_no_permission_if_the_process_exits(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = shell("echo; sleep 0.2; exit 3")
    with monkeypatch.context() as patch:
        forbid(patch, process.pid)
        assert stop(process, grace=DEADLINE) == ExitStatus(3)


@as_root
def test_stop_of_another_users_process_is_not_permitted(shell: Shell) -> None:
    process = shell(REST)
    wait_until(lambda: psutil.Process(process.pid).name() == "sleep")
    program = """
        import os, psutil, sys
        from process_terminate import stop
        process = psutil.Process(int(sys.argv[1]))
        os.setuid(65534)
        try:
            stop(process, grace=0.1)
        except PermissionError as error:
            print(error)
    """
    said = run(program, str(process.pid))
    assert said == f"not permitted to signal pid {process.pid} (sleep, sleeping)\n"
    assert process.poll() is None


@pytest.mark.parametrize("forbidden", [False, True])
def test_stop_all_names_each_process_that_does_not_die(
    forbidden: bool, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in an uninterruptible system call; the others are stopped and reaped."""
    processes = [shell(REST), shell(REST), shell(REST)]
    _, undying, refused = (process.pid for process in processes)
    is_dead = Handle.is_dead
    with monkeypatch.context() as patch:
        patch.setattr("process_terminate._process.ending.LAST_WAIT", 0.1)
        patch.setattr("process_terminate._process.ending._DYING", 0.1)
        patch.setattr(Handle, "is_dead", lambda h: h.pid != undying and is_dead(h))
        if forbidden:
            forbid(patch, refused)
        with pytest.raises(TimeoutError, match=f"^still running .* pid {undying}") as e:
            stop_all(processes, grace=0.1)
    if forbidden:
        assert f"not permitted to signal pid {refused} " in e.value.__notes__[0]
    assert processes[0].returncode == TERMINATED.code


@not_on_windows("counts file descriptors")
def test_stop_releases_all_file_descriptors(shell: Shell) -> None:
    processes = [shell(REST), shell(REST)]
    gc.collect()  # What earlier tests have left may hold descriptors.
    before = psutil.Process().num_fds()
    stop(processes[0])
    stop(processes[0])
    with pytest.raises(TypeError):
        stop_all([processes[1], None])  # type: ignore[list-item]
    assert psutil.Process().num_fds() == before


@pytest.mark.parametrize("module", [process_terminate, process_terminate.aio])
def test_options_are_passed_by_name(module: Any) -> None:
    """So another one can be added, and no number is taken for the wrong one."""
    functions = [getattr(module, name) for name in module.__all__]
    options = [
        parameter.kind is parameter.KEYWORD_ONLY
        for function in filter(inspect.isfunction, functions)
        for parameter in inspect.signature(function).parameters.values()
        if parameter.default is not parameter.empty
    ]
    assert options
    assert all(options)
