"""terminate() and kill(): one signal, clear errors, and nothing else."""

import asyncio
import multiprocessing
import multiprocessing.dummy
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from typing import Any

import psutil
import pytest
import workers

from evidence import examples
from evidence.measure import leftovers
from process_terminate import _process, kill, terminate

START_METHODS = list(examples.start_methods())
Call = Callable[[Any], None]
Start = Callable[..., BaseProcess]

SIGNAL: dict[Call, signal.Signals] = {terminate: signal.SIGTERM, kill: signal.SIGKILL}

each_call = pytest.mark.parametrize("call", list(SIGNAL))


@pytest.fixture(autouse=True)
def _nothing_left() -> Iterator[None]:
    with leftovers.ended() as left:
        yield
    assert left == []


@pytest.fixture(params=START_METHODS)
def start(request: pytest.FixtureRequest) -> Iterator[Start]:
    """Starts a worker, ready; ends and reaps it after the test."""
    context: Any = multiprocessing.get_context(request.param)
    started: list[BaseProcess] = []

    def start(target: Callable[..., None] = workers.rest) -> BaseProcess:
        receiver, sender = context.Pipe(duplex=False)
        worker: BaseProcess = context.Process(target=target, args=(sender,))
        worker.start()
        started.append(worker)
        assert receiver.recv() == "ready"
        return worker

    yield start
    for worker in started:
        worker.kill()
        worker.join()


def is_running(pid: int) -> bool:
    """Whether there is such a process, and it is no zombie."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@each_call
def test_call_ends_a_worker_by_its_signal(call: Call, start: Start) -> None:
    """The exit code is the negative number of the signal."""
    worker = start()
    call(worker)
    worker.join()
    assert worker.exitcode == -SIGNAL[call]


def test_kill_ends_a_worker_that_ignores_sigterm(start: Start) -> None:
    """Nothing but kill() ends it."""
    worker = start(workers.ignore_sigterm)
    terminate(worker)
    worker.join(0.2)
    assert worker.is_alive()
    kill(worker)
    worker.join()
    assert worker.exitcode == -signal.SIGKILL


@each_call
@pytest.mark.parametrize("joined", [True, False])
def test_call_leaves_a_dead_worker_alone(
    call: Call,
    joined: bool,
    start: Start,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No signal is sent, as its pid may be another's, and its exit code stays."""
    worker = start()
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGUSR1)
    wait([worker.sentinel])
    while is_running(worker.pid):  # The sentinel tells of its files, not of itself.
        time.sleep(0.01)
    if joined:
        worker.join()
    with monkeypatch.context() as patch:
        patch.setattr(os, "kill", lambda *_: pytest.fail("sent a signal"))
        call(worker)
    worker.join()
    assert worker.exitcode == -signal.SIGUSR1


@each_call
def test_call_before_start_says_so(
    call: Call,
) -> None:
    """The message names the process and what to do."""
    worker = multiprocessing.Process(name="worker")
    with pytest.raises(
        ValueError, match=r"^'worker' was not started: call start\(\) first$"
    ):
        call(worker)


@each_call
def test_call_after_close_says_so(
    call: Call,
) -> None:
    """The message names the process and the order of the calls."""
    worker = multiprocessing.Process(name="worker")
    worker.close()
    with pytest.raises(
        ValueError, match=rf"^'worker' is closed: {call.__name__}\(\) comes before"
    ):
        call(worker)


@each_call
def test_call_on_the_calling_process_says_so(
    call: Call,
) -> None:
    """A process does not end itself through its own object."""
    with pytest.raises(
        ValueError, match=r"^'MainProcess' is the calling process: use sys\.exit\(\)$"
    ):
        call(multiprocessing.current_process())


@pytest.mark.parametrize("method", START_METHODS)
def test_call_on_the_parent_says_so(method: str) -> None:
    """A child has an object for its parent, and cannot end it by that."""
    context: Any = multiprocessing.get_context(method)
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=workers.terminate_the_parent, args=(sender,))
    child.start()
    message = receiver.recv()
    child.join()
    assert message == "'MainProcess' is the parent: a child cannot terminate() it"


def test_parent_is_refused_before_anything_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also where the object could be asked for a pid."""
    worker = multiprocessing.Process(name="main")
    monkeypatch.setattr(_process, "parent_process", lambda: worker)
    with pytest.raises(ValueError, match=r"^'main' is the parent: a child cannot"):
        terminate(worker)


@each_call
@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda: None, "builtins.NoneType"),
        (os.getpid, "builtins.int"),
        (psutil.Process, "psutil.Process"),
        (lambda: multiprocessing.Process, "builtins.type"),
        (multiprocessing.dummy.Process, "multiprocessing.dummy.DummyProcess"),
        (lambda: subprocess.CompletedProcess("ls", 0), "subprocess.CompletedProcess"),
        (asyncio.Event, "asyncio.locks.Event"),
    ],
)
def test_call_on_something_else_says_what_it_got(
    call: Call, make: Callable[[], object], kind: str
) -> None:
    """A TypeError names the function, what it takes, and what it got."""
    with pytest.raises(
        TypeError,
        match=rf"^{call.__name__}\(\) takes a multiprocessing.Process, not {kind}: ",
    ):
        call(make())


@each_call
@pytest.mark.skipif(sys.platform == "win32", reason="there a handle is used, not kill")
def test_call_passes_on_that_the_signal_is_forbidden(
    call: Call,
    start: Start,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A worker that runs as another user now cannot be signalled."""
    worker = start()

    def forbid(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    with monkeypatch.context() as patch:
        patch.setattr(os, "kill", forbid)
        with pytest.raises(PermissionError, match="not permitted"):
            call(worker)
    assert worker.is_alive()
