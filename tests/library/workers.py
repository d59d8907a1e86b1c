"""What the processes of the tests do: importable by a child of any start method."""

import atexit
import os
import signal
import sys
import time
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

import process_terminate
from process_terminate import exit_on_sigterm, stop, terminate


def rest(ready: Connection) -> None:
    """Do nothing until somebody ends it."""
    ready.send("ready")
    time.sleep(60)


def rest_in_steps(ready: Connection) -> None:
    """Do nothing, and see a signal soon.

    One that comes just before a sleep begins is handled when the sleep is over.
    """
    ready.send("ready")
    for _ in range(3000):
        time.sleep(0.02)


def ignore_sigterm(ready: Connection) -> None:
    """Do nothing, and be deaf to SIGTERM."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    rest(ready)


def terminate_the_parent(report: Connection) -> None:
    """Try to end the parent through the object that multiprocessing gives."""
    parent = parent_process()
    assert parent is not None
    try:
        terminate(parent)
    except ValueError as error:
        report.send(str(error))


def try_call(report: Connection, call: str, process: object) -> None:
    """Call a function of the library, and tell what it raised."""
    try:
        getattr(process_terminate, call)(process)
    except ValueError as error:
        report.send(f"{type(error).__name__}: {error}")
    else:
        report.send("no error")


def block_sigterm(ready: Connection) -> None:
    """Do nothing, and let SIGTERM wait."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    rest(ready)


def report_sigterm(report: Connection) -> None:
    """Do nothing, and tell when SIGTERM comes."""

    def tell(*_: object) -> None:
        report.send("SIGTERM")

    signal.signal(signal.SIGTERM, tell)
    rest_in_steps(report)


def exit_with_zero_on_sigterm(ready: Connection) -> None:
    """Do nothing, and end well when SIGTERM comes."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    rest_in_steps(ready)


def finish_soon(ready: Connection) -> None:
    """Be deaf to SIGTERM, and end by itself."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    ready.send("ready")
    time.sleep(0.2)


def fork_a_child(report: Connection) -> None:
    """Have a child that inherits all files, and tell its pid."""
    pid = os.fork()
    if pid == 0:
        time.sleep(60)
        os._exit(0)
    report.send("ready")
    report.send(pid)
    time.sleep(60)


def stop_another(report: Connection, process: BaseProcess | None = None) -> None:
    """Try to stop a process of the parent's, or the parent itself."""
    another = process or parent_process()
    assert another is not None
    try:
        stop(another)
    except ValueError as error:
        report.send(str(error))


def exit_on_sigterm_and_report(report: Connection) -> None:
    """Tell which parts of the clean-up run."""
    atexit.register(report.send, "atexit")
    with exit_on_sigterm():
        try:
            rest_in_steps(report)
        finally:
            report.send("finally")


def have_a_child(report: Connection) -> None:
    """Start a child by fork, tell its pid, and do nothing."""
    child = os.fork()
    if child == 0:
        time.sleep(60)
        os._exit(0)
    report.send(child)
    time.sleep(60)
