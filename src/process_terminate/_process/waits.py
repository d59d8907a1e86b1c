"""Waits: the steps of each function, without the way in which it waits.

A function of the library is a generator that yields a `Wait` where it has to wait.
`run()` waits in this thread; `process_terminate.aio` lets the event loop wait. An
exception that comes during a wait is raised in the generator, at its `yield`.
"""

import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, NamedTuple, Self, TypeVar

from process_terminate._process import stdlib, table
from process_terminate._process.clock import monotonic
from process_terminate._process.handle import STEP, Handle

T = TypeVar("T")

#: Seconds that a process may take to die of SIGKILL.
LAST_WAIT = 10.0
#: Seconds for what takes milliseconds: reaping, the end of a thread, a lock.
NOTE_WAIT = 1.0


class Wait(NamedTuple):
    """Wait until all processes are dead, or it is time."""

    until: float
    #: None to wait only until it is time, or until the descriptor is readable.
    handles: list[Handle] | None
    fd: int | None = None


Steps = Generator[Wait, None, T]


def pause(seconds: float, fd: int | None = None) -> Wait:
    """Return a wait for some time."""
    return Wait(monotonic() + seconds, None, fd)


def after_turns(
    loop: bool, grace: float, stop: Callable[[float], Steps[T]]
) -> Steps[T]:
    """Let an event loop note which children its thread has reaped, then stop processes.

    Until then another process may have the pid. asyncio needs three turns for that.

    Args:
        loop: Whether an event loop waits.
        grace: Seconds of grace; none if an exception interrupts the turns.
        stop: Returns the steps that stop the processes within a grace period.
    """
    try:
        for _ in range(4 if loop else 0):
            yield pause(0)
    except BaseException:
        grace = 0
        raise
    finally:
        found = yield from stop(grace)
    return found


def wait_for(handles: list[Handle], seconds: float) -> Wait:
    """Return a wait until all are dead, or some time is over."""
    return Wait(monotonic() + seconds, handles)


def pauses(seconds: float) -> Iterator[Wait]:
    """Return ever longer pauses, until some time is over."""
    end = monotonic() + seconds
    length = 0.0002
    while (now := monotonic()) < end:
        yield Wait(min(now + length, end), None)
        length = min(length * 2, 0.02)


def run(steps: Steps[T]) -> T:
    """Take all steps, and wait in this thread."""
    error: BaseException | None = None
    while True:
        try:
            thrown, error = error, None
            block(advance(steps, thrown))
        except StopIteration as done:
            result: T = done.value
            return result
        except BaseException as caught:  # Ctrl-C, or an error of the steps.
            if is_over(steps):
                raise
            error = caught


def advance(steps: Any, error: BaseException | None) -> Wait:
    """Take the next steps, up to a wait; with an exception that interrupted the last one."""
    wait: Wait = next(steps) if error is None else steps.throw(error)
    return wait


def is_over(steps: Any) -> bool:
    """Return whether all steps are taken, so that an exception came out of them."""
    return steps.gi_frame is None


def block(wait: Wait) -> None:
    """Wait in this thread."""
    for handle in wait.handles or []:
        while not handle.wait(wait.until - monotonic()):
            if monotonic() >= wait.until:
                break
    if wait.handles is not None:
        return
    rest = max(min(wait.until - monotonic(), STEP), 0)
    if wait.fd is None or sys.platform == "win32" or not hasattr(select, "poll"):
        time.sleep(rest)
    else:
        poll = select.poll()
        poll.register(wait.fd, select.POLLIN)
        poll.poll(rest * 1000)


@contextmanager
def locked(lock: Any) -> Iterator[None]:
    """Hold a lock; TimeoutError if another thread does not release it."""
    if not lock.acquire(timeout=NOTE_WAIT):
        raise TimeoutError(f"a lock was not released within {NOTE_WAIT:g} s: {lock!r}")
    try:
        yield
    finally:
        lock.release()


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
        self._arrived: list[int] = []
        self._is_kept = False
        self._is_open = False
        self._is_done = False
        self._pid = os.getpid()
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

    def _note(self, number: int, frame: FrameType | None) -> None:
        """Act on a signal, now or later.

        It stays open while a handler runs: Ctrl-C may interrupt that as well.
        """
        if self._is_open:
            try:
                self._act(number, frame)
            except BaseException:
                self._is_open = False
                raise
        elif self._is_done or os.getpid() != self._pid:
            # Another gate of the event loop put this one back, or a child was forked.
            self._act(number, frame)
        else:
            self._arrived.append(number)

    def _act(self, number: int, frame: FrameType | None) -> None:
        """Do what was done with a signal before this gate took its place."""
        handler = self._handlers[number]
        if callable(handler):
            self.has_called |= handler is not signal.default_int_handler
            handler(number, frame)
        else:
            stdlib.set_handler(number, handler)
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
        note = self._note
        handlers = _handlers(self._fatal) if _is_main_thread() else {}
        try:
            # No thread of a subinterpreter may set a handler, and `threading` may know
            # another main thread than the interpreter.
            with suppress(ValueError):
                for number, handler in handlers.items():
                    self._handlers[number] = handler
                    stdlib.set_handler(number, note)
            yield self
        finally:
            error: BaseException | None = None
            waiting = list(self._handlers)
            while waiting:
                try:
                    while waiting:
                        number = waiting[-1]
                        if stdlib.handler_of(number) == note:
                            stdlib.set_handler(number, self.behind(number))
                        waiting.pop()
                except BaseException as caught:  # Of a handler that is back already.
                    error = caught
            self._is_done = True
            for number in dict.fromkeys(self._arrived):
                try:
                    self._act(number, None)
                except BaseException as caught:
                    error = caught
            if error is not None:
                raise error

    def behind(self, number: int) -> Any:
        """Return the handler of a signal, past all gates that are done.

        Two calls in one event loop may end in the order in which they began.
        """
        handler = self._handlers[number]
        gate = getattr(handler, "__self__", None)
        if isinstance(gate, Gate) and gate._is_done:
            return gate.behind(number)
        return handler


def _is_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def _handlers(fatal: bool) -> dict[int, Any]:
    """Return the signals that a gate holds back, with what is done with each."""
    found = {n: stdlib.handler_of(n) for n in (_FATAL if fatal else _SIGNALS)}
    if not fatal:
        return {n: handler for n, handler in found.items() if callable(handler)}
    caught = table.caught_signals()  # By C code, if Python knows no handler.
    return {
        n: handler
        for n, handler in found.items()
        if _is_fatal_gate(handler) or (handler == signal.SIG_DFL and n not in caught)
    }


def _is_fatal_gate(handler: Any) -> bool:
    """Return whether another gate, as of another task, holds back a fatal signal."""
    gate = getattr(handler, "__self__", None)
    return isinstance(gate, Gate) and gate._fatal


#: Not asked for each time, because it makes an enumeration of each.
_SIGNALS = [int(number) for number in signal.valid_signals()]
#: Those whose default action ends or stops this process, and that people and systems
#: send.
_FATAL = {
    int(getattr(signal, name))
    for name in [
        "SIGHUP",
        "SIGINT",
        "SIGQUIT",
        "SIGTERM",
        "SIGUSR1",
        "SIGUSR2",
        "SIGALRM",
        "SIGTSTP",
    ]
    if hasattr(signal, name)
}
