"""The child subreaper of Linux: orphaned descendants come to this process."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from process_terminate._process.waits import locked

# linux/prctl.h
_PR_SET_CHILD_SUBREAPER = 36
_PR_GET_CHILD_SUBREAPER = 37

AVAILABLE = sys.platform == "linux"

_lock = threading.RLock()
#: How many blocks are active, and what this process was before the first.
_active = 0
_was_set = False


@contextmanager
def adopting() -> Iterator[bool]:
    """Be child subreaper in the block; the value is whether this process is."""
    global _active, _was_set  # noqa: PLW0603
    adopts = True
    with locked(_lock):
        try:
            if _active == 0:
                _was_set = is_set()
                switch(True)
            _active += 1
        except (OSError, ImportError):  # Another system, a sandbox, no ctypes.
            adopts = False
    try:
        yield adopts
    finally:
        if adopts:
            with locked(_lock):
                _active -= 1
                if _active == 0:
                    switch(_was_set)


def is_set() -> bool:
    """Return whether this process is a child subreaper."""
    import ctypes  # noqa: PLC0415  # Some builds of Python have none.

    answer = ctypes.c_int()
    _prctl(_PR_GET_CHILD_SUBREAPER, ctypes.byref(answer))
    return bool(answer.value)


def switch(on: bool) -> None:
    """Make this process a child subreaper, or an ordinary process again."""
    _prctl(_PR_SET_CHILD_SUBREAPER, int(on))


def _prctl(option: int, argument: object) -> None:
    if not AVAILABLE:
        raise OSError("only Linux has child subreapers")
    import ctypes  # noqa: PLC0415

    libc = ctypes.CDLL(None, use_errno=True)
    if isinstance(argument, int):
        argument = ctypes.c_ulong(argument)
    if libc.prctl(option, argument, *[ctypes.c_ulong(0)] * 3) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}) failed")


def _forget() -> None:
    """Forget the state in a forked child, because it is not a subreaper."""
    global _active, _lock
    _active, _lock = 0, threading.RLock()


if hasattr(os, "register_at_fork"):  # pragma: no branch
    os.register_at_fork(after_in_child=_forget)
