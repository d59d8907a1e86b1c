"""What else runs Python code in this process: threads, tasks, greenlets."""

import asyncio
import os
import sys
from contextlib import suppress


def current_task() -> object:
    """Return the task of asyncio or trio that runs; None if there is none."""
    with suppress(RuntimeError):
        return asyncio.current_task()
    with suppress(AttributeError, KeyError, RuntimeError):
        return sys.modules["trio"].lowlevel.current_task()
    return None


def has_one_thread() -> bool:
    """Return whether nothing but the caller of this can start a process here.

    `threading` does not know the threads of `_thread` and C code, nor greenlets.
    """
    try:
        threads = os.listdir("/proc/self/task")  # noqa: PTH208, as it is faster
    except OSError:
        return False
    return len(threads) == 1 and "greenlet" not in sys.modules
