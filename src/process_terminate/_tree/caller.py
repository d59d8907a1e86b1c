"""What else runs Python code in this process: threads, tasks, greenlets."""

import asyncio
import os
import sys
import weakref
from collections.abc import Callable
from contextlib import suppress


def current_task() -> object:
    """Return the task of asyncio or trio that runs; None if there is none."""
    with suppress(RuntimeError):
        return asyncio.current_task()
    with suppress(AttributeError, KeyError, RuntimeError):
        return sys.modules["trio"].lowlevel.current_task()
    return None


def reference(task: object) -> Callable[[], object]:
    """Return what returns the task while it exists.

    A block that kept its task alive would never be left if the task was dropped.
    """
    try:
        return weakref.ref(task)
    except TypeError:  # None, for example.
        return lambda: task


def has_one_thread() -> bool:
    """Return whether nothing but the caller of this can start a process here.

    `threading` does not know the threads of `_thread` and C code, nor greenlets.
    """
    try:
        threads = os.listdir("/proc/self/task")  # noqa: PTH208, as it is faster
    except OSError:
        return False
    return len(threads) == 1 and "greenlet" not in sys.modules
