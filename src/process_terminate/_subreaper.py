"""The child subreaper of Linux: orphans among the descendants come to it."""

import ctypes
import sys

# linux/prctl.h
_PR_SET_CHILD_SUBREAPER = 36
_PR_GET_CHILD_SUBREAPER = 37

AVAILABLE = sys.platform == "linux"


def is_set() -> bool:
    """Whether this process is a child subreaper."""
    answer = ctypes.c_int()
    _prctl(_PR_GET_CHILD_SUBREAPER, ctypes.byref(answer))
    return bool(answer.value)


def switch(on: bool) -> None:
    """Make this process a child subreaper, or make it none."""
    _prctl(_PR_SET_CHILD_SUBREAPER, ctypes.c_ulong(on))


def _prctl(option: int, argument: object) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, argument, *[ctypes.c_ulong(0)] * 3) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}) failed")
