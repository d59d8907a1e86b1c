"""What the hostile trees are built with: each process reports when it is there.

Every tree is a program. It prints "ready" when its last process is in place, and
then lives until it is ended. None is nice to whoever has to end it.
"""

import os
import signal
import sys
import time
from collections.abc import Callable
from typing import NoReturn

_reader, _writer = os.pipe()


def rest() -> NoReturn:
    """Be a process of the tree: report, and live until ended."""
    report()
    while True:
        time.sleep(60)


def report() -> None:
    """Say that one more process is in place."""
    os.write(_writer, b".")


def child(task: Callable[[], object]) -> int:
    """Fork a child that does something and never returns."""
    pid = os.fork()
    if pid == 0:
        task()
        os._exit(0)
    return pid


def await_reports(count: int) -> None:
    """Wait until so many processes are in place."""
    while count:
        count -= len(os.read(_reader, count))


def announce() -> None:
    """Tell the one who started the tree that it is complete."""
    sys.stdout.write("ready\n")
    sys.stdout.flush()


def ignore_sigterm() -> None:
    """Be deaf from now on, and so will be the children."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def root_of(count: int) -> NoReturn:
    """Be the root of so many processes that report, and rest."""
    await_reports(count)
    announce()
    while True:
        time.sleep(60)
