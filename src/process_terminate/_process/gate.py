"""Hold back the handlers of signals while what must not be interrupted is done."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, Self

from process_terminate._process import stdlib, table

#: The functions below `signal`, which looks for enumerations in ten times their time.
_fast = sys.modules.get("_signal")
_handler_of: Any = getattr(_fast, "getsignal", signal.getsignal)
_set_handler: Any = getattr(_fast, "signal", signal.signal)


class Gate:
    """Calls handlers of signals only while it is open; an error closes it.

    So the first Ctrl-C ends a wait, and the next ones cannot interrupt what follows.

    Args:
        fatal: Whether it holds back, instead of those that have a handler, the signals
            whose default action would end or stop this process, such as SIGTERM. A
            child that another thread forks meanwhile may lose them: CPython forgets
            what comes before the child has started.
    """

    def __init__(self, *, fatal: bool = False) -> None:
        """Note nothing yet; the gate is closed."""
        self._fatal = fatal
        self._handlers: dict[int, Any] = {}
        #: The gates that have taken the place of this one.
        self._above: dict[int, Gate] = {}
        self._arrived: list[int] = []
        self._is_kept = False
        self._is_open = False
        self._is_done = False
        self._is_lent = False
        self._pid = os.getpid()
        #: Whether it can hold back signals: only in the main thread.
        self.holds = _is_main_thread()
        #: Whether a handler was called that may have started a process.
        self.has_called = False

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Call the handlers of what arrives in the block, or has arrived before."""
        self._is_open = True
        try:
            while self._arrived:
                self._note(self._arrived.pop(), None)
            yield
        finally:
            self._is_open = False
            if self._is_lent:
                self._take()
                self._is_lent = False

    def _note(self, number: int, frame: FrameType | None) -> None:
        """Act on a signal, now or later.

        It stays open while a handler runs: Ctrl-C may interrupt that as well.
        """
        if self._is_open:
            try:
                self._act(number, frame)
            except BaseException:
                self._is_open = False
                if _in_loop():
                    # It leaves the loop first, and asyncio.run() takes its own handler
                    # of Ctrl-C back only if that is in its place.
                    self._is_lent = True
                    self._give_back()
                raise
        elif self._is_done or os.getpid() != self._pid:
            # Another gate of the event loop put this one back, or a child was forked.
            self._act(number, frame)
        else:
            self._arrived.append(number)

    def _act(self, number: int, frame: FrameType | None) -> None:
        """Do what was done with a signal before this gate took its place."""
        handler = self.behind(number)
        if callable(handler):
            self.has_called |= handler is not signal.default_int_handler
            handler(number, frame)
        else:
            _set_handler(number, handler)
            signal.raise_signal(number)

    @contextmanager
    def kept(self) -> Iterator[Self]:
        """Take the place of all handlers in the block.

        Handlers are called in the main thread alone, so only there is this needed. An
        exception that a handler raises leaves the block after everything in it is done.
        Within the block of this gate, a second one does nothing.
        """
        if self._is_kept:
            yield self
            return
        self._is_kept = True
        try:
            self._take()
            yield self
        finally:
            error = self._give_back()
            self._is_done = True
            for number in dict.fromkeys(self._arrived):
                try:
                    self._act(number, None)
                except BaseException as caught:
                    error = caught
            if error is not None:
                raise error

    def _take(self) -> None:
        """Take the place of all handlers."""
        handlers = _handlers(self._fatal) if _is_main_thread() else {}
        # No thread of a subinterpreter may set a handler, and `threading` may know
        # another main thread than the interpreter.
        with suppress(ValueError):
            for number, handler in handlers.items():
                gate = _gate_of(handler)
                if gate is self:  # The end of a block has put it back meanwhile.
                    continue
                self._handlers[number] = handler
                if gate:
                    gate._above[number] = self
                _set_handler(number, self._note)

    def _give_back(self) -> BaseException | None:
        """Put the handlers back; return what one of them has raised meanwhile.

        Only the main thread can. In another one, as of a loop that is closed there, a
        signal is passed on until the next gate takes the place of this one.
        """
        error: BaseException | None = None
        waiting = list(self._handlers) if _is_main_thread() else []
        while waiting:
            try:
                while waiting:
                    number = waiting[-1]
                    if _gate_of(_handler_of(number)) is self:
                        _set_handler(number, self.behind(number))
                    else:
                        self._leave_chain(number)
                    waiting.pop()
            except BaseException as caught:  # Of a handler that is back already.
                error = caught
        return error

    def _leave_chain(self, number: int) -> None:
        """Join the gates above and below, so that no chain grows or leads back here."""
        above = self._above.get(number)
        if above and _gate_of(above._handlers[number]) is self:
            above._handlers[number] = self._handlers[number]
            if below := _gate_of(self._handlers[number]):
                below._above[number] = above

    def behind(self, number: int) -> Any:
        """Return the handler of a signal, past all gates that have given it back.

        Two calls in one event loop may end in the order in which they began.
        """
        handler = self._handlers[number]
        while (gate := _gate_of(handler)) and (gate._is_done or gate._is_lent):
            handler = gate._handlers[number]
        return (
            signal.default_int_handler if stdlib.is_of_past_loop(handler) else handler
        )


def handler_behind_gates(number: int) -> Any:
    """Return the handler of a signal, past all gates that hold it back."""
    handler = _handler_of(number)
    while gate := _gate_of(handler):
        handler = gate.behind(number)
    return handler


def _gate_of(handler: Any) -> Gate | None:
    """Return the gate that a handler belongs to."""
    gate = getattr(handler, "__self__", None)
    return gate if isinstance(gate, Gate) else None


def _in_loop() -> bool:
    """Return whether an event loop runs in this thread."""
    with suppress(RuntimeError):
        asyncio.get_running_loop()
        return True
    return False


def _is_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def _handlers(fatal: bool) -> dict[int, Any]:
    """Return the signals that a gate holds back, with what is done with each."""
    found = {n: _handler_of(n) for n in (_FATAL if fatal else _SIGNALS)}
    if not fatal:
        return {n: handler for n, handler in found.items() if callable(handler)}
    caught = _caught_signals()  # By C code, if Python knows no handler.
    return {
        n: handler
        for n, handler in found.items()
        if _is_fatal_gate(handler) or (handler == signal.SIG_DFL and n not in caught)
    }


def _is_fatal_gate(handler: Any) -> bool:
    """Return whether another gate, as of another task, holds back a fatal signal."""
    gate = _gate_of(handler)
    return gate is not None and gate._fatal


#: Not asked for each time, because it makes an enumeration of each.
_SIGNALS = [int(number) for number in signal.valid_signals()]
#: Those that are ignored by default, that no process can hold back, whose call Python
#: would repeat at once without end, and that come of an error that a program dies of.
_OTHERS = (
    *("SIGCHLD", "SIGCONT", "SIGURG", "SIGWINCH"),
    *("SIGKILL", "SIGSTOP"),
    *("SIGTTIN", "SIGTTOU"),
    *("SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGSEGV", "SIGSYS", "SIGTRAP"),
)
#: Those whose default action ends or stops this process.
_FATAL = set(_SIGNALS) - {int(getattr(signal, name, 0)) for name in _OTHERS}


def _caught_signals() -> set[int]:
    """Return the signals of this process that have a handler, even one of C code.

    For Python such a signal has its default action, and it could not set the handler
    again. Empty if the system does not tell.
    """
    mask = int(table.status_field(os.getpid(), b"SigCgt:") or b"0", 16)
    return {bit + 1 for bit in range(mask.bit_length()) if mask >> bit & 1}
