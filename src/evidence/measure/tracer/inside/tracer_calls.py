"""Notes the calls that the example makes, and when they return: a profiler."""

import os
import threading
import time
from types import CodeType, FrameType
from typing import Any

from tracer_notes import note  # type: ignore[import-not-found]

EXAMPLE = os.environ["TRACED_EXAMPLE"]
#: Calls from one place of the example that are all noted; then only slow ones.
OFTEN = 50
#: Nanoseconds that make a call slow.
SLOW = 100_000_000

#: Functions of the tracer that Python calls in between, wherever the example is.
unseen: set[CodeType] = set()
#: The calls of the example that have not returned, by their frames.
running: dict[Any, Any] = {}
#: How often each place of the example made a call.
made: dict[Any, int] = {}
#: The places of the instructions of the example.
places: dict[CodeType, list[Any]] = {}


def watch(frame: FrameType, event: str, arg: Any) -> None:
    """Note a call of the example, or its return.

    A call that never returns has a beginning only.
    """
    if event == "c_call":
        if frame.f_code.co_filename == EXAMPLE:
            begin((id(frame), "c"), frame, arg.__name__)
    elif event == "call":
        code, caller = frame.f_code, frame.f_back
        if is_at_exit(code, caller):
            begin((id(frame), ""), None, code.co_name)
        elif (
            caller is not None
            and caller.f_code.co_filename == EXAMPLE
            and code.co_filename != EXAMPLE
            and code not in unseen
        ):
            begin((id(frame), ""), caller, code.co_name)
    elif event == "return":
        end((id(frame), ""))
    else:
        end((id(frame), "c"))


def is_at_exit(code: CodeType, caller: FrameType | None) -> bool:
    """Return whether multiprocessing waits for something because a process exits."""
    if code.co_name == "_finalize_join":
        return "multiprocessing" in code.co_filename
    return (
        code.co_name == "join"
        and caller is not None
        and caller.f_code.co_name == "_exit_function"
    )


def place(frame: FrameType) -> Any:
    """Return the line, last line, column and last column that a frame executes."""
    code = frame.f_code
    if code not in places:
        places[code] = list(code.co_positions())
    return places[code][frame.f_lasti // 2]


def begin(key: Any, caller: FrameType | None, name: str) -> None:
    """Note that a call begins."""
    at = time.monotonic_ns()
    where = None if caller is None else place(caller)
    spot = (name, where)
    made[spot] = made.get(spot, 0) + 1
    often = made[spot] > OFTEN
    running[key] = at, name, where, often
    if not often:
        note("call", at=at, name=name, where=where, tid=threading.get_native_id())


def end(key: Any) -> None:
    """Note that a call returned, or raised an exception."""
    if key not in running:
        return
    at, name, where, often = running.pop(key)
    if often and time.monotonic_ns() - at < SLOW:
        return
    tid = threading.get_native_id()
    if often:
        note("call", at=at, name=name, where=where, tid=tid)
    note("return", began=at, tid=tid)
