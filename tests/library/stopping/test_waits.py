"""Waits have limits, and handlers of signals are called when a Gate is open."""

import ast
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from support import FOLDER

from process_terminate._process import stdlib
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
    with Gate().kept() as gate:
        signal.raise_signal(signal.SIGUSR1)
        assert calls == []
        with gate.opened():
            assert calls == [signal.SIGUSR1]
            signal.raise_signal(signal.SIGUSR2)
            assert calls == [signal.SIGUSR1, signal.SIGUSR2]


def test_handler_is_called_after_the_block(calls: list[int]) -> None:
    with Gate().kept():
        signal.raise_signal(signal.SIGUSR1)
        signal.raise_signal(signal.SIGUSR1)
        assert calls == []
    assert calls == [signal.SIGUSR1]


def test_handler_that_raises_closes_the_gate(
    calls: list[int], handler: Handler
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    handler(signal.SIGUSR2, fail)

    def keep() -> None:
        with Gate().kept() as gate:
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
    kept: AbstractContextManager[Any] = Gate().kept()
    old = signal.getsignal(signal.SIGUSR1)
    kept.__enter__()
    restore = stdlib.set_handler
    errors = [ZeroDivisionError()]

    def restore_and_raise(number: int, handler: Any) -> Any:
        result = restore(number, handler)
        if errors:
            raise errors.pop()
        return result

    monkeypatch.setattr(stdlib, "set_handler", restore_and_raise)
    with pytest.raises(ZeroDivisionError):
        kept.__exit__(None, None, None)
    assert signal.getsignal(signal.SIGUSR1) is old
    assert calls == []


def test_gates_of_one_event_loop_may_end_in_any_order(calls: list[int]) -> None:
    old = signal.getsignal(signal.SIGUSR1)
    first: AbstractContextManager[Any] = Gate().kept()
    second: AbstractContextManager[Any] = Gate().kept()
    first.__enter__()
    gate = second.__enter__()
    signal.raise_signal(signal.SIGUSR1)
    first.__exit__(None, None, None)
    with gate.opened():
        assert calls == [signal.SIGUSR1]
    second.__exit__(None, None, None)
    assert signal.getsignal(signal.SIGUSR1) is old


def test_handler_that_the_block_has_set_stays(
    calls: list[int], handler: Handler
) -> None:
    def other(*_: object) -> None:
        """Do nothing."""

    with Gate().kept():
        handler(signal.SIGUSR1, other)
    assert signal.getsignal(signal.SIGUSR1) is other
    assert calls == []


#: Calls that wait, and which positional argument is their limit.
LIMITED = dict.fromkeys(("join", "wait", "acquire", "recv", "result", "queue.get"), 1)
LIMITED |= {"poll.poll": 1, "_selector.select": 1, "communicate": 2, "select.select": 4}
LIMITS = {"timeout", "blocking", "block"}
#: Waits without a limit, and why each ends.
JUSTIFIED = {
    "_event_loop.py: done.wait()": "a timer of the loop sets it",
    "workers.py: future.result()": "as_completed() has returned the future",
    "workers.py: with lock": "nothing that is done with it can wait",
    "queue_program.py: inbox.recv()": "poll() has said that there is an item",
    "queue_program.py: queue.get()": "it may hang, and the process is killed then",
    "queue_program.py: writer.join()": "a writer does not handle SIGTERM",
    "queue_program.py: process.join()": "the process was killed",
}


def waits_without_limit(file: Path) -> Iterator[str]:
    """Find the calls that may wait forever, and `with` for a lock."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.withitem):
            taken = ast.unparse(node.context_expr)
            if taken.endswith("lock"):
                yield f"{file.name}: with {taken}"
        elif isinstance(node, ast.Call):
            call = f".{ast.unparse(node.func)}".replace("._poll", ".poll")
            place = next(
                (n for end, n in LIMITED.items() if call.endswith(f".{end}")), 0
            )
            limits = [k.value for k in node.keywords if k.arg in LIMITS]
            limits += node.args[place - 1 : place] if place else []
            if place and all(ast.unparse(limit) == "None" for limit in limits):
                yield f"{file.name}: {ast.unparse(node)}"


@pytest.mark.parametrize("package", ["process_terminate", "evidence"])
def test_every_wait_and_lock_has_a_limit(package: str) -> None:
    files = (FOLDER.parents[1] / "src" / package).rglob("*.py")
    found = {wait for file in files for wait in waits_without_limit(file)}
    assert found <= set(JUSTIFIED)


def test_search_finds_waits_without_a_limit(tmp_path: Path) -> None:
    waits = "t.join()\np.wait(None)\nl.acquire()\np.communicate(text)\nq.recv()"
    others = "t.join(1)\n','.join([])\np.communicate(b'', 1)\nl.acquire(timeout=1)"
    file = tmp_path / "waits.py"
    file.write_text(f"{waits}\n{others}\nwith self._lock: pass")
    found = {wait.removeprefix("waits.py: ") for wait in waits_without_limit(file)}
    assert found == {*waits.splitlines(), "with self._lock"}
