"""How processes are stopped: a first signal, a grace period, SIGKILL."""

import functools
import inspect
import math
import signal
import sys
from typing import Any

from process_terminate._exit_status import name_of
from process_terminate._log import log
from process_terminate._process.gate import Gate
from process_terminate._process.handle import SIGCONT, SIGKILL, Handle, monotonic
from process_terminate._process.printable import described
from process_terminate._process.waits import LAST_WAIT, Steps, Wait, wait_for

#: Each as one of `Signals`, if it has a name there. Not made for each call, because
#: that takes longer than all other checks.
_VALID_SIGNALS = {int(number): number for number in signal.valid_signals()}
#: Seconds in which a signal is deferred until the killed processes are reaped.
_DYING = 1.0


def checked_grace(grace: object) -> float:
    """Return a grace period in seconds; raise if it is none."""
    if not isinstance(grace, (int, float)) or isinstance(grace, bool):
        raise TypeError(
            f"grace must be a number of seconds, got {grace!r} ({type(grace).__name__})"
        )
    try:
        seconds = float(grace)
    except OverflowError:
        seconds = math.inf
    if not 0 <= seconds < math.inf:
        raise ValueError(f"grace must be a finite number >= 0, got {grace!r:.40}")
    return seconds


def checked_signal(number: object) -> int:
    """Return a first signal, one of `Signals` if it has a name there; raise if none."""
    if not isinstance(number, int) or isinstance(number, bool):
        raise TypeError(
            f"signal must be a signal such as signal.SIGINT, got {number!r} "
            f"({type(number).__name__})"
        )
    if number not in _VALID_SIGNALS:
        raise ValueError(f"signal must be the number of a signal, got {number}")
    if sys.platform == "win32" and number != signal.SIGTERM:
        raise ValueError(f"signal must be SIGTERM on Windows, got {name_of(number)}")
    return _VALID_SIGNALS[number]


def refuse_suspended(function: Any, call: str) -> None:
    """Raise if the code of a function runs only after its call has returned."""
    while isinstance(function, functools.partial):
        function = function.func
    if inspect.iscoroutinefunction(function):
        what, instead = "a coroutine function", "asyncio.run(...)"
    elif inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        what, instead = "a generator function", "the code that iterates over it"
    else:
        return
    raise TypeError(
        f"{call}() has no effect as a decorator of {what}, such as "
        f"{function.__name__}(), because the call returns before its code runs: write "
        f"'with {call}():' around {instead} in the main program"
    )


def end_all(handles: list[Handle], grace: float, first: int, gate: Gate) -> Steps[None]:
    """Send the first signal, wait, send SIGKILL; raise if one is alive then."""
    alive = handles
    try:
        if grace > 0:
            until = monotonic() + grace
            for handle in handles:
                handle.send(first)
                handle.send(SIGCONT)
            with gate.opened():
                yield Wait(until, handles)
            alive = [handle for handle in handles if not handle.is_dead()]
    except BaseException as error:  # Such as Ctrl-C during the wait.
        yield from noted(error, _kill_all(handles, gate))
        raise
    if not alive:
        return
    late = {handle: described(handle.pid) for handle in alive} if grace > 0 else {}
    try:
        yield from _kill_all(alive, gate)
    finally:
        warn_of_kill(late, first, grace)


def noted(error: BaseException, steps: Steps[None]) -> Steps[None]:
    """Take the steps that an error makes necessary; note it if they fail."""
    try:
        yield from steps
    except (PermissionError, TimeoutError) as failed:
        error.add_note(f"{type(failed).__name__}: {failed}")


def _kill_all(handles: list[Handle], gate: Gate) -> Steps[None]:
    """Send SIGKILL and wait; raise if one is alive then."""
    for handle in handles:
        handle.send(SIGKILL)
    allowed = [handle for handle in handles if not handle.forbidden]
    dying = wait_for(allowed, _DYING)
    try:
        yield dying
    except BaseException:  # A second cancellation: the gate holds signals alone.
        yield dying
        raise
    with gate.opened():
        yield wait_for(allowed, LAST_WAIT - _DYING)
    check_dead(handles)


def check_dead(handles: list[Handle]) -> None:
    """Raise if one of the killed is alive, or could not be signaled."""
    alive = [handle for handle in handles if not handle.is_dead()]
    refused = [handle for handle in alive if handle.forbidden]
    alive = [handle for handle in alive if not handle.forbidden]
    forbidden = f"not permitted to signal {_names(refused)}"
    if alive:
        error = TimeoutError(
            f"still running {LAST_WAIT:g} s after {name_of(SIGKILL)}: {_names(alive)}"
        )
        if refused:
            error.add_note(forbidden)
        raise error
    if refused:
        raise PermissionError(forbidden)


def warn_of_kill(killed: dict[Handle, str], first: int, grace: float) -> None:
    """Log which processes did not end within their grace period.

    After the kill, because a handler of a program may wait for what is to be killed.

    Args:
        killed: They, as they were described before.
        first: The first signal.
        grace: Seconds of grace.
    """
    for one in [shown for handle, shown in killed.items() if not handle.forbidden]:
        log.warning(
            "%s did not end within %g s of %s; sent %s",
            one,
            grace,
            name_of(first),
            name_of(SIGKILL),
        )


def _names(handles: list[Handle]) -> str:
    return ", ".join(described(handle.pid) for handle in handles)
