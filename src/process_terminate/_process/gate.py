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
    """A block that calls handlers of signals only while its gate is open.

    An error closes the gate, so the first Ctrl-C ends a wait, and the next ones cannot
    interrupt what follows. An exception that a handler raises later leaves the block
    after everything in it is done. In other threads than the main thread, which alone
    calls handlers, this does nothing.

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
        #: How many blocks of this gate are active.
        self._depth = 0
        self._is_open = False
        self._is_done = False
        self._is_lent = False
        self._pid = os.getpid()
        self._thread = threading.get_ident()
        #: Whether a handler was called that may have started a process.
        self.has_called = False

    @property
    def holds(self) -> bool:
        """Whether it can hold back signals: only in the main thread."""
        return _is_main_thread()

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

    def __enter__(self) -> Self:
        """Take the place of all handlers, unless a block of this gate is active."""
        self._depth += 1
        if self._depth == 1:
            try:
                self._take()
            except BaseException:
                self.__exit__()
                raise
        return self

    def __exit__(self, *_: object) -> None:
        """Put the handlers back, then call those of what has arrived."""
        self._depth -= 1
        if self._depth:
            return
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
        if self._fatal and not self.holds:  # To know these, it reads a file of /proc.
            return
        for number, handler in _handlers(self._fatal).items():
            gate = _gate_of(handler)
            if gate is self:  # The end of a block has put it back meanwhile.
                continue
            self._handlers[number] = handler
            try:
                _set_handler(number, self._note)
            except ValueError:  # Only the main thread can set handlers.
                del self._handlers[number]
                return
            if gate:
                gate._above[number] = self

    def _give_back(self) -> BaseException | None:
        """Put the handlers back; return what one of them has raised meanwhile.

        Only the thread that has taken them can. In another one, as of a loop that is
        closed there, a signal is passed on until the next gate takes the place of this
        one.
        """
        error: BaseException | None = None
        is_taker = threading.get_ident() == self._thread
        waiting = list(self._handlers) if is_taker else []
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
    if not fatal:
        return {n: done for n in _SIGNALS if callable(done := _handler_of(n))}
    caught = _caught_signals()  # By C code, if Python knows no handler.
    found = {n: _handler_of(n) for n in _FATAL}
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
