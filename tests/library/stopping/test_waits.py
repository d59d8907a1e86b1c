"""Handlers of signals are called when a Gate is open."""

import gc
import signal
import sys
import threading
import weakref
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any

import pytest
from support import DEADLINE, fail

from process_terminate._process import gate as gates
from process_terminate._process.gate import Gate

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sends signals")

Handler = Callable[[int, Callable[..., object]], None]


@pytest.fixture
def calls(handler: Handler) -> list[int]:
    """The signals whose handler was called."""
    found: list[int] = []
    for number in (signal.SIGUSR1, signal.SIGUSR2):
        handler(number, lambda number, _: found.append(number))
    return found


def test_handler_is_called_when_the_gate_is_opened(calls: list[int]) -> None:
    with Gate() as gate:
        signal.raise_signal(signal.SIGUSR1)
        assert calls == []
        with gate.opened():
            assert calls == [signal.SIGUSR1]
            signal.raise_signal(signal.SIGUSR2)
            assert calls == [signal.SIGUSR1, signal.SIGUSR2]


def test_handler_is_called_after_the_block(calls: list[int]) -> None:
    with Gate():
        signal.raise_signal(signal.SIGUSR1)
        signal.raise_signal(signal.SIGUSR1)
        assert calls == []
    assert calls == [signal.SIGUSR1]


def test_handler_that_raises_closes_the_gate(
    calls: list[int], handler: Handler
) -> None:
    handler(signal.SIGUSR2, fail(ZeroDivisionError))

    def keep() -> None:
        with Gate() as gate:
            with pytest.raises(ZeroDivisionError), gate.opened():
                signal.raise_signal(signal.SIGUSR2)
            signal.raise_signal(signal.SIGUSR2)
            signal.raise_signal(signal.SIGUSR1)
            assert calls == []

    with pytest.raises(ZeroDivisionError):
        keep()
    assert calls == [signal.SIGUSR1]


def test_handler_that_is_back_and_raises_does_not_keep_others_away(
    calls: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: AbstractContextManager[Any] = Gate()
    old = signal.getsignal(signal.SIGUSR1)
    kept.__enter__()
    restore = gates._set_handler
    errors = [ZeroDivisionError()]

    def restore_and_raise(number: int, handler: Any) -> Any:
        result = restore(number, handler)
        if errors:
            raise errors.pop()
        return result

    monkeypatch.setattr(gates, "_set_handler", restore_and_raise)
    with pytest.raises(ZeroDivisionError):
        kept.__exit__(None, None, None)
    assert signal.getsignal(signal.SIGUSR1) is old
    assert calls == []


def test_gates_of_one_event_loop_may_end_in_any_order(calls: list[int]) -> None:
    old = signal.getsignal(signal.SIGUSR1)
    first: AbstractContextManager[Any] = Gate()
    second: AbstractContextManager[Any] = Gate()
    first.__enter__()
    gate = second.__enter__()
    signal.raise_signal(signal.SIGUSR1)
    first.__exit__(None, None, None)
    with gate.opened():
        assert calls == [signal.SIGUSR1]
    second.__exit__(None, None, None)
    assert signal.getsignal(signal.SIGUSR1) is old


def test_gate_that_leaves_from_between_two_others_is_forgotten(
    calls: list[int],
) -> None:
    old = signal.getsignal(signal.SIGUSR1)
    blocks: list[AbstractContextManager[Any]] = [Gate() for _ in range(3)]
    over = [weakref.ref(block.__enter__()) for block in blocks]
    for number in (1, 0):
        blocks[number].__exit__(None, None, None)
        blocks[number] = Gate()
    gc.collect()
    assert [gate() is None for gate in over] == [True, True, False]
    signal.raise_signal(signal.SIGUSR1)
    blocks[2].__exit__(None, None, None)
    assert calls == [signal.SIGUSR1]
    assert signal.getsignal(signal.SIGUSR1) is old


def test_gate_that_another_thread_leaves_passes_signals_on(calls: list[int]) -> None:
    """As of a loop that is closed there: only the main thread can set handlers."""
    old = signal.getsignal(signal.SIGUSR1)
    kept: AbstractContextManager[Any] = Gate()
    kept.__enter__()
    thread = threading.Thread(target=kept.__exit__, args=[None, None, None])
    thread.start()
    thread.join(DEADLINE)
    signal.raise_signal(signal.SIGUSR1)
    assert calls == [signal.SIGUSR1]
    with Gate():
        signal.raise_signal(signal.SIGUSR1)
    assert calls == [signal.SIGUSR1] * 2
    assert signal.getsignal(signal.SIGUSR1) is old


def test_gate_of_another_thread_leaves_handlers_and_gates_alone(
    calls: list[int], handler: Handler
) -> None:
    """A gate below it that took it for the one above would look for its handlers."""

    def enter_and_leave() -> None:
        with Gate() as other:
            assert not other._handlers

    with ThreadPoolExecutor(1) as executor, Gate() as gate:
        taken = signal.getsignal(signal.SIGUSR1)
        executor.submit(enter_and_leave).result(DEADLINE)
        assert signal.getsignal(signal.SIGUSR1) == taken
        assert not gate._above
        handler(signal.SIGUSR1, lambda *_: None)
    assert calls == []


def test_signal_without_a_handler_has_its_default_action_after_the_block() -> None:
    with Gate(fatal=True):
        signal.raise_signal(signal.SIGUSR1)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    pending = signal.sigpending()
    found = signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # So the kernel drops it.
    signal.signal(signal.SIGUSR1, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1])
    assert (pending, found) == ({signal.SIGUSR1}, signal.SIG_DFL)


def test_gates_that_are_over_are_forgotten_while_others_are_kept(
    calls: list[int],
) -> None:
    """As in a program whose loop always stops some processes."""
    blocks: deque[AbstractContextManager[Any]] = deque()
    over: weakref.WeakSet[Gate] = weakref.WeakSet()
    for _ in range(30):
        blocks.append(Gate())
        over.add(blocks[-1].__enter__())
        if len(blocks) > 4:
            blocks.popleft().__exit__(None, None, None)
    gc.collect()
    assert len(over) == len(blocks)
    signal.raise_signal(signal.SIGUSR1)
    while blocks:
        blocks.popleft().__exit__(None, None, None)
    assert calls == [signal.SIGUSR1]


def test_handler_that_the_block_has_set_stays(
    calls: list[int], handler: Handler
) -> None:
    def other(*_: object) -> None:
        """Do nothing."""

    with Gate():
        handler(signal.SIGUSR1, other)
    assert signal.getsignal(signal.SIGUSR1) is other
    assert calls == []


def test_gate_that_is_interrupted_while_it_takes_handlers_gives_them_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(gates, "_gate_of", fail(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt), Gate():
        pass
    assert signal.getsignal(signal.SIGINT) == before
