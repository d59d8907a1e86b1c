"""What else runs Python code in this process: threads, tasks, greenlets."""

import asyncio
import sys
from contextlib import suppress

from process_terminate._process import stdlib


def current_task() -> object:
    """Return the task of asyncio or trio that runs; None if there is none."""
    with suppress(RuntimeError):
        return asyncio.current_task()
    with suppress(AttributeError, KeyError, RuntimeError):
        return sys.modules["trio"].lowlevel.current_task()
    return None


def has_one_thread() -> bool:
    """Return whether nothing but this function's caller can run Python code now.

    `threading` does not know a thread of `_thread`, nor a greenlet.
    """
    return len(stdlib.frames_of_threads()) == 1 and "greenlet" not in sys.modules
