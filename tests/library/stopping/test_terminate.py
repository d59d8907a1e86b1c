"""terminate() and kill(): one signal, and clear errors."""

import asyncio
import multiprocessing
import multiprocessing.dummy
import os
import signal
import subprocess
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from typing import Any

import psutil
import pytest
from support import (
    DEADLINE,
    FORK,
    IS_WINDOWS,
    METHODS,
    Start,
    closed,
    fail,
    is_running,
    not_on_windows,
    wait_until,
)

from process_terminate import kill, terminate

Call = Callable[[Any], None]

SIGNALS: dict[Call, signal.Signals] = {
    terminate: signal.SIGTERM,
    kill: getattr(signal, "SIGKILL", signal.SIGTERM),
}
each_call = pytest.mark.parametrize("call", SIGNALS)
each_method = pytest.mark.parametrize("method", METHODS)


@each_call
@each_method
def test_call_sends_its_signal(call: Call, method: str, start: Start) -> None:
    worker = start(method).process
    call(worker)
    worker.join(DEADLINE)
    assert worker.exitcode == -SIGNALS[call]


@each_call
@not_on_windows("has other exit codes")
def test_call_sends_its_signal_to_a_worker_of_another_process(
    call: Call, start: Start
) -> None:
    """As in a sibling, which cannot tell whether the worker is alive."""
    worker = start(FORK)
    worker.process._parent_pid += 1
    call(worker.process)
    worker.process._parent_pid -= 1
    worker.process.join(DEADLINE)
    assert worker.code() == -SIGNALS[call]


@each_call
@each_method
@pytest.mark.parametrize("joined", [True, False])
def test_call_sends_no_signal_to_a_dead_worker(
    call: Call,
    method: str,
    joined: bool,
    start: Start,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    worker = start(method)
    number = getattr(signal, "SIGUSR1", 7)  # Any number is an exit code on Windows.
    os.kill(worker.pid, number)
    wait_until(lambda: not is_running(worker.pid))
    wait_until(lambda: not joined or not worker.process.is_alive())
    with monkeypatch.context() as patch:
        patch.setattr(os, "kill", lambda *_: pytest.fail("sent a signal"))
        if method != "forkserver" or joined:  # Else the forkserver has to tell first.
            call(worker.process)
    worker.process.join(DEADLINE)
    assert worker.process.exitcode == (number if IS_WINDOWS else -number)


@each_call
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: multiprocessing.Process(name="one"),
            "process 'one' was not started; call start() first",
        ),
        (closed, "process 'one' is closed; call {}() before close()"),
        (
            multiprocessing.current_process,
            "process 'MainProcess' is the calling process; call sys.exit()",
        ),
    ],
)
def test_call_on_no_running_worker_says_what_to_do(
    call: Call, make: Callable[[], BaseProcess], message: str
) -> None:
    with pytest.raises(ValueError, match="process") as raised:
        call(make())
    assert str(raised.value) == message.format(call.__name__)


@each_call
@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda: None, "builtins.NoneType"),
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
    with pytest.raises(TypeError, match=rf"takes a multiprocessing.Process, .*{kind}"):
        call(make())


@not_on_windows("calls TerminateProcess instead of os.kill()")
@each_call
def test_call_passes_on_that_the_signal_is_not_permitted(
    call: Call, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = start(FORK).process
    with monkeypatch.context() as patch:
        patch.setattr(os, "kill", fail(PermissionError))
        with pytest.raises(PermissionError):
            call(worker)
