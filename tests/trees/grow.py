"""Build the hostile trees: each process reports when it is ready.

Every tree is a program. It prints "ready" when its last process is in place, and
then runs until it is killed, at most two minutes.
"""

import os
import select
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

#: When a chain gives up, in seconds of the monotonic clock.
_END = time.monotonic() + 120
_reader, _writer = os.pipe()


def rest() -> NoReturn:
    """Be a process of the tree: report, and run until killed."""
    report()
    _sleep()


def _sleep() -> NoReturn:
    """Sleep, and exit after two minutes if nothing has killed this process."""
    while time.monotonic() < _END:
        time.sleep(10)
    os._exit(0)


def report() -> None:
    """Report that one more process is in place."""
    os.write(_writer, b".")


def child(task: Callable[[], object]) -> int:
    """Fork a child that does something and never returns."""
    pid = os.fork()
    if pid == 0:
        task()
        os._exit(0)
    return pid


def await_reports(count: int) -> None:
    """Wait until this many processes are in place."""
    while count:
        count -= len(os.read(_reader, count))


def announce() -> None:
    """Print that the tree is complete."""
    sys.stdout.write("ready\n")
    sys.stdout.flush()


def ignore_sigterm() -> None:
    """Ignore SIGTERM in this process and in its later children."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def mark() -> str:
    """Return the mark by which the processes of this tree are known."""
    return os.environ["HOSTILE_TREE"]


def let_neighbor_exit() -> None:
    """Close this process's end of the pipe for which the neighbor waits."""
    with suppress(OSError, KeyError):
        os.close(int(os.environ["HOSTILE_TREE_NEIGHBOR"]))


def is_released() -> bool:
    """Return whether a chain must exit: the witness has counted, or is gone.

    The witness may be killed, and then nothing else would end a chain.
    """
    if time.monotonic() > _END:
        return True
    leash = os.environ.get("HOSTILE_TREE_LEASH")
    return leash is not None and bool(select.select([int(leash)], [], [], 0)[0])


def root_of(count: int) -> NoReturn:
    """Be the root of this many processes that report, and rest."""
    await_reports(count)
    announce()
    _sleep()
