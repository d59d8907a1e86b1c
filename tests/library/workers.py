"""What the processes of the tests do: importable by a child of any start method."""

import atexit
import os
import signal
import subprocess
import sys
import time
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from typing import Any

import process_terminate
from process_terminate import exit_on_sigterm

#: What a shell does: it prints a line when it is ready.
IGNORE = "trap '' TERM; echo; exec sleep 60"
REST = "echo; exec sleep 60"
#: What stands for these two on Windows, where no process can ignore its end.
SLEEP = [sys.executable, "-c", "import time; print(flush=True); time.sleep(60)"]
#: The functions below that need what Windows lacks.
NOT_ON_WINDOWS = {
    "block_sigterm": "blocks a signal",
    "exit_with_zero_on_sigterm": "handles a signal of another process",
    "exit_on_sigterm_and_report": "handles a signal of another process",
    "finish_soon": "ignores a signal of another process",
    "ignore_sigterm": "ignores a signal of another process",
    "report_signals": "handles a signal of another process",
    "fork_a_child": "forks",
}


def ready(script: str = IGNORE, **options: Any) -> "subprocess.Popen[bytes]":
    """Start a shell; return it when it has printed its first line."""
    command = ["/bin/sh", "-c", script]
    if sys.platform == "win32" and script in {IGNORE, REST}:
        command = SLEEP
    process = subprocess.Popen(command, stdout=subprocess.PIPE, **options)
    assert process.stdout
    assert process.stdout.readline() in {b"\n", b"\r\n"}
    return process


def rest(ready: Connection) -> None:
    """Sleep until something ends it."""
    ready.send("ready")
    time.sleep(60)


def rest_in_steps(ready: Connection) -> None:
    """Sleep, and handle a signal soon.

    A signal just before a sleep begins is handled when the sleep is over.
    """
    ready.send("ready")
    for _ in range(3000):
        time.sleep(0.02)


def ignore_sigterm(ready: Connection) -> None:
    """Sleep, and ignore SIGTERM."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    rest(ready)


def block_sigterm(ready: Connection) -> None:
    """Sleep, and block SIGTERM."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    rest(ready)


def report_signals(report: Connection) -> None:
    """Sleep, and report SIGTERM and SIGINT instead of ending."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda n, _: report.send(signal.Signals(n).name))
    rest_in_steps(report)


def exit_with_zero_on_sigterm(ready: Connection) -> None:
    """Sleep, and exit with 0 on SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    rest_in_steps(ready)


def finish_soon(ready: Connection) -> None:
    """Ignore SIGTERM, and exit."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    ready.send("ready")
    time.sleep(0.2)


def fork_a_child(report: Connection) -> None:
    """Start a child that inherits all files, and report its pid."""
    child = os.fork()
    if child == 0:
        time.sleep(60)
        os._exit(0)
    report.send("ready")
    report.send(child)
    time.sleep(60)


def call(report: Connection, name: str, process: object = None) -> None:
    """Call a function of the library for a process, or for the parent."""
    try:
        getattr(process_terminate, name)(process or parent_process())
    except ValueError as error:
        report.send(str(error))
    else:
        report.send("no error")


def exit_on_sigterm_and_report(report: Connection) -> None:
    """Report which parts of the cleanup run."""
    atexit.register(report.send, "atexit")
    with exit_on_sigterm():
        try:
            rest_in_steps(report)
        finally:
            report.send("finally")


def ignore_in_pool(folder: str) -> None:
    """Ignore SIGTERM as a task of a pool, and say by a file who does."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sleep_in_pool(folder)


def sleep_in_pool(folder: str) -> None:
    """Sleep as a task of a pool, and say by a file who does."""
    with open(f"{folder}/{os.getpid()}", "w"):  # noqa: PTH123
        time.sleep(60)


@exit_on_sigterm()
def exit_in_pool(folder: str) -> None:
    """Sleep as a task of an executor that exits on SIGTERM."""
    sleep_in_pool(folder)
