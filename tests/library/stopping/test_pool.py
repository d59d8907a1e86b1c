"""stop_pool(): a pool and its workers are stopped within a grace period."""

import multiprocessing
import multiprocessing.pool
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import nullcontext
from functools import partial
from operator import floordiv
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
import workers
from support import (
    DEADLINE,
    FORK,
    KILLED,
    METHODS,
    TERMINATED,
    each_pool,
    fail,
    forks,
    not_on_windows,
    wait_until,
)

from process_terminate import no_orphans, stop_pool
from process_terminate._process import pools, stdlib
from process_terminate._process.waits import run as run_steps


@pytest.fixture(autouse=True)
def _no_thread_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    wait_until(lambda: set(threading.enumerate()) <= before)


def submit(pool: Any, task: Callable[..., object], *args: object) -> Any:
    """Submit a task to a pool or an executor."""
    if isinstance(pool, ProcessPoolExecutor):
        return pool.submit(task, *args)
    return pool.apply_async(task, args)


def wait_for_tasks(folder: Path, count: int) -> None:
    """Wait until so many tasks run."""
    wait_until(lambda: len(list(folder.iterdir())) == count)


@each_pool
@pytest.mark.parametrize(
    ("method", "task", "grace", "status"),
    [
        *((method, workers.sleep_in_pool, 5, TERMINATED) for method in METHODS),
        (FORK, workers.ignore_in_pool, 0.3, KILLED),
        (FORK, workers.sleep_in_pool, 0, KILLED),
    ],
)
def test_stop_pool_stops_busy_workers_and_fails_what_is_pending(  # noqa: PLR0913, PLR0917
    make: Callable[[Any], Any],
    method: str,
    task: Callable[..., None],
    grace: float,
    status: object,
    tmp_path: Path,
) -> None:
    pool = make(multiprocessing.get_context(method))
    results = [submit(pool, task, str(tmp_path)) for _ in range(6)]
    wait_for_tasks(tmp_path, 2)
    before = time.monotonic()
    stopped = stop_pool(pool, grace=grace)
    assert time.monotonic() - before < grace + 5
    assert stopped[0] == status
    # When its first worker is dead, an executor itself sends SIGTERM to the other.
    is_executor = isinstance(pool, ProcessPoolExecutor)
    assert stopped[1] in ({status, TERMINATED} if is_executor else {status})
    for result in results:
        with pytest.raises(BaseException, match=r"stopped before|abruptly|^$"):
            result.result(DEADLINE) if hasattr(result, "result") else result.get(9)
    with pytest.raises((ValueError, RuntimeError)):
        submit(pool, abs, 1)


@each_pool
def test_stop_pool_of_idle_workers_ends_them(make: Callable[[Any], Any]) -> None:
    """A worker that waits for a task holds a lock of the pool."""
    before = set(multiprocessing.active_children())
    pool = make(multiprocessing.get_context(FORK))
    assert list(pool.map(abs, [-1, -2, -3])) == [1, 2, 3]
    started = set(multiprocessing.active_children()) - before
    stop_pool(pool, grace=5)
    stop_pool(pool)
    assert started
    assert not started & set(multiprocessing.active_children())
    if isinstance(pool, ProcessPoolExecutor):
        pool.shutdown()
    else:
        pool.terminate()
        pool.join()


def test_stop_pool_fails_map_and_imap(tmp_path: Path) -> None:
    with multiprocessing.get_context(FORK).Pool(1) as pool:
        mapped = pool.map_async(workers.sleep_in_pool, [str(tmp_path)] * 9)
        iterated = pool.imap(abs, [1, 2])
        unordered = pool.imap_unordered(abs, [1, 2])
        wait_for_tasks(tmp_path, 1)
        stop_pool(pool)
        for get in (lambda: mapped.get(9), iterated.next, unordered.next):
            with pytest.raises(RuntimeError, match="the pool was stopped"):
                get()


def test_stop_pool_calls_no_callback_of_a_pending_result(tmp_path: Path) -> None:
    """It may raise, or wait for a lock that the caller has."""
    called: list[object] = []
    with multiprocessing.get_context(FORK).Pool(1) as pool:
        results: list[Any] = [
            getattr(pool, start)(
                workers.sleep_in_pool, [str(tmp_path)], error_callback=called.append
            )
            for start in ("apply_async", "map_async")
        ]
        wait_for_tasks(tmp_path, 1)
        stop_pool(pool)
        for result in results:
            with pytest.raises(RuntimeError, match="the pool was stopped"):
                result.get(0)
    assert called == []


@pytest.mark.parametrize("start", ["apply_async", "map_async"])
@pytest.mark.parametrize("value", [0, 1])
def test_callback_may_stop_its_pool_and_the_result_is_kept(
    start: str, value: int, tmp_path: Path
) -> None:
    """The first answer, or the first error, ends all others."""
    called: list[object] = []

    def end(result: object) -> None:
        called.append(result)
        stop_pool(pool, grace=0)

    with multiprocessing.get_context(FORK).Pool(2) as pool:
        late = pool.apply_async(workers.sleep_in_pool, [str(tmp_path)])
        wait_for_tasks(tmp_path, 1)
        ways = {"callback": end, "error_callback": end}
        first = getattr(pool, start)(partial(floordiv, 1), [value], **ways)
        with nullcontext() if value else pytest.raises(ZeroDivisionError):
            assert first.get(DEADLINE) in (1, [1])
        with pytest.raises(RuntimeError, match="the pool was stopped"):
            late.get(DEADLINE)
    assert len(called) == 1


def test_signal_handler_may_stop_a_pool_while_a_result_is_polled() -> None:
    """What the handler has interrupted holds the lock of the result."""
    with multiprocessing.get_context(FORK).Pool(1) as pool:
        result: Any = pool.apply_async(time.sleep, [60])
        with result._event._cond:
            assert len(stop_pool(pool, grace=0)) == 1
        with pytest.raises(RuntimeError, match="the pool was stopped"):
            result.get(DEADLINE)


def test_results_fail_where_no_thread_can_be_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with multiprocessing.get_context(FORK).Pool(1) as pool:
        result = pool.apply_async(time.sleep, [60])
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", fail(RuntimeError()))
            stop_pool(pool, grace=0)
        with pytest.raises(RuntimeError, match="the pool was stopped"):
            result.get(0)


def test_stop_pool_ends_a_pool_with_full_pipes(tmp_path: Path) -> None:
    """Its threads wait for a write that no worker reads."""
    pool = multiprocessing.get_context(FORK).Pool(1)
    pool.apply_async(workers.sleep_in_pool, (str(tmp_path),))
    wait_for_tasks(tmp_path, 1)
    for _ in range(4):
        pool.apply_async(len, (b"x" * 1_000_000,))
    assert stop_pool(pool) == [TERMINATED]


def test_two_threads_may_stop_the_same_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here the other one closes the queue just before this one writes into it."""
    pool: Any = multiprocessing.get_context(FORK).Pool(1)
    is_alive = pool._result_handler.is_alive

    def close() -> bool:
        monkeypatch.setattr(pool._result_handler, "is_alive", is_alive)
        pool._outqueue._writer.close()
        return True

    monkeypatch.setattr(pool._result_handler, "is_alive", close)
    monkeypatch.setattr(stdlib, "is_writable", lambda _: True)
    assert len(stop_pool(pool)) == 1


@forks
def test_stop_pool_writes_nothing_where_a_write_would_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pool: Any = multiprocessing.get_context(FORK).Pool(1)
    monkeypatch.setattr(stdlib, "is_writable", lambda _: False)

    def put(_: None) -> None:
        """Forbid what only the threads of the pool may do."""
        assert threading.current_thread() is not threading.main_thread()

    for queue in pool._change_notifier, pool._outqueue:
        monkeypatch.setattr(queue, "put", put)
    assert len(stop_pool(pool)) == 1


def test_stop_pool_gives_up_on_a_pool_that_goes_on_starting_workers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pool = multiprocessing.get_context(FORK).Pool(1)
    monkeypatch.setattr(pools, "NOTE_WAIT", 0.1)
    monkeypatch.setattr(pools._MultiprocessingPool, "may_replace", True)
    assert len(stop_pool(pool)) == 1


def test_results_fail_in_this_thread_while_python_exits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A new thread would never begin."""
    threads: list[threading.Thread] = []
    with monkeypatch.context() as patch:
        patch.setattr(sys, "is_finalizing", lambda: True)
        note = pools._call_apart(
            lambda call: threads.append(call()), threading.current_thread
        )
        run_steps(note)
    assert threads == [threading.current_thread()]


#: An executor, and an event that its worker sets.
shared: list[Any] = []


def send_a_part() -> None:
    """Send the size of a result, but no result, as a worker that is killed then."""
    executor, sent = shared
    os.write(executor._result_queue._writer.fileno(), (1000).to_bytes(4, "big"))
    sent.set()
    time.sleep(DEADLINE)


@forks
def test_result_fails_whose_worker_dies_as_it_sends_it() -> None:
    """The executor has read a part of it, and waits for the rest."""
    fork: Any = multiprocessing.get_context(FORK)
    shared[:] = ProcessPoolExecutor(1, mp_context=fork), fork.Event()
    executor, sent = shared
    result = executor.submit(send_a_part)
    assert sent.wait(DEADLINE)
    stop_pool(executor, grace=0)
    with pytest.raises(BrokenProcessPool):
        result.result(DEADLINE)


def test_stop_pool_of_an_executor_that_was_not_used_returns_nothing() -> None:
    assert stop_pool(ProcessPoolExecutor(1)) == []


def test_stop_pool_does_not_wait_for_the_lock_of_an_executor() -> None:
    """A thread in submit() holds it, which may wait for a write."""
    executor = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(FORK))
    executor.submit(abs, 1).result(DEADLINE)
    with executor._shutdown_lock:
        assert stop_pool(executor) == [TERMINATED]
    executor.shutdown()


@pytest.mark.parametrize(
    "make",
    [lambda: None, lambda: multiprocessing.pool.ThreadPool(1), ThreadPoolExecutor],
)
def test_stop_pool_of_something_else_is_a_type_error(make: Callable[[], Any]) -> None:
    pool = make()
    with pytest.raises(TypeError, match=r"^stop_pool\(\) takes a multiprocessing.Pool"):
        stop_pool(pool)
    if pool is not None:
        (pool.terminate if hasattr(pool, "terminate") else pool.shutdown)()


def test_exception_while_the_pool_stops_kills_its_workers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = multiprocessing.get_context(FORK).Pool(2)
    for _ in range(2):
        pool.apply_async(workers.ignore_in_pool, (str(tmp_path),))
    wait_for_tasks(tmp_path, 2)
    monkeypatch.setattr(pool._change_notifier, "put", fail(ZeroDivisionError))  # type: ignore[attr-defined]
    with pytest.raises(ZeroDivisionError):
        stop_pool(pool, grace=60)
    monkeypatch.undo()
    pool._change_notifier.put(None)  # type: ignore[attr-defined]
    assert [p for p in tmp_path.iterdir() if psutil.pid_exists(int(p.name))] == []


@pytest.mark.parametrize("method", sorted({FORK, "spawn"}))
def test_executor_is_stopped_after_its_shutdown(method: str, tmp_path: Path) -> None:
    """shutdown() takes the workers out of the executor, and lets them run."""
    pool = ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(method))
    results = [pool.submit(workers.sleep_in_pool, str(tmp_path)) for _ in range(2)]
    wait_for_tasks(tmp_path, 2)
    pool.shutdown(wait=False, cancel_futures=True)
    assert stop_pool(pool) == [TERMINATED, TERMINATED]
    for result in results:
        with pytest.raises(BrokenProcessPool):
            result.result(DEADLINE)


def test_join_returns_although_a_later_child_has_the_pipes(tmp_path: Path) -> None:
    fork: Any = multiprocessing.get_context(FORK)
    pool = fork.Pool(2)
    for _ in range(4):
        submit(pool, workers.sleep_in_pool, str(tmp_path))
    wait_for_tasks(tmp_path, 2)
    later = fork.Process(target=time.sleep, args=[60])
    later.start()
    try:
        stop_pool(pool)
        join = threading.Thread(target=pool.join, daemon=True)
        join.start()
        join.join(DEADLINE)
        assert not join.is_alive()
        assert later.is_alive()
    finally:
        later.kill()
        later.join(DEADLINE)


def test_tasks_fail_if_the_thread_of_their_executor_has_died() -> None:
    future: Future[None] = Future()
    item = SimpleNamespace(future=future)
    thread = SimpleNamespace(pending_work_items={1: item}, is_alive=lambda: False)
    stdlib.fail_pending(thread)
    assert isinstance(future.exception(0), BrokenProcessPool)
    thread.pending_work_items[1] = item  # One that is done already.
    stdlib.fail_pending(thread)
    stdlib.fail_pending(None)
    assert thread.pending_work_items == {}


def test_first_error_of_map_is_kept() -> None:
    """The second task runs when the pool is stopped."""
    with multiprocessing.get_context(FORK).Pool(2) as pool:
        result: Any = pool.map_async(time.sleep, [-1, 60], chunksize=1)
        wait_until(lambda: result._number_left == 1)
        stop_pool(pool, grace=0)
        with pytest.raises(ValueError, match="non-negative"):
            result.get(0)


def test_callback_of_an_executor_may_wait_for_a_lock_of_the_caller() -> None:
    lock, future = threading.Lock(), Future[None]()
    future.add_done_callback(lambda _: lock.acquire())
    manager: Any = threading.Thread()
    manager.pending_work_items = {1: SimpleNamespace(future=future)}
    with lock:
        run_steps(pools.adapt(manager).finish())
    with pytest.raises(BrokenProcessPool):
        future.result(DEADLINE)


@pytest.mark.parametrize("call", [stop_pool, None], ids=["stop_pool", "no_orphans"])
def test_workers_are_stopped_that_a_slow_pool_is_just_starting(
    call: "Callable[[Any], object] | None", monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with dozens of spawned workers: it starts all before it looks up."""
    fork: Any = multiprocessing.get_context(FORK)
    start, starting = fork.Process.start, threading.Event()

    def start_slowly(worker: Any) -> None:
        starting.set()
        time.sleep(1.3)
        start(worker)

    with no_orphans(grace=5) if call is None else nullcontext():
        pool: Any = fork.Pool(1)
        monkeypatch.setattr(fork.Process, "start", start_slowly)
        pool._pool[0].kill()
        wait_until(starting.is_set)
        if call is not None:
            call(pool)
    [worker] = pool._pool
    assert worker.exitcode in {
        TERMINATED.code,
        KILLED.code,
        0,
    }  # 0: it saw the end of the pool first.


@not_on_windows("does not tell whether a pipe is full")
def test_executor_whose_thread_does_not_read_its_pipe_is_stopped(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A slow callback runs in that thread, and shutdown() would write to the pipe."""
    fork: Any = multiprocessing.get_context(FORK)
    executor: Any = ProcessPoolExecutor(1, mp_context=fork)
    busy, done = threading.Event(), threading.Event()

    def rest(_: Future[int]) -> None:
        busy.set()
        done.wait(DEADLINE)

    executor.submit(abs, -1).add_done_callback(rest)
    assert busy.wait(DEADLINE)
    pipe = executor._executor_manager_thread_wakeup
    while stdlib.is_writable(pipe):
        pipe._writer.send_bytes(b"")
    try:
        assert [status.code for status in stop_pool(executor)] == [TERMINATED.code]
    finally:
        done.set()
    assert [message.partition(":")[0] for message in caplog.messages] == [
        "an executor cannot be shut down",
        "a thread of a pool is still running",
    ]


@forks
def test_forked_child_does_not_harm_the_pool_of_its_parent() -> None:
    fork: Any = multiprocessing.get_context(FORK)
    with fork.Pool(2) as pool:
        assert pool.map(abs, [-1]) == [1]

        def stop_in_child() -> None:
            try:
                stop_pool(pool)
            except ValueError:
                os._exit(7)

        child = fork.Process(target=stop_in_child)
        child.start()
        child.join(DEADLINE)
        assert child.exitcode == 7
        assert pool.map_async(abs, range(-20, 0)).get(DEADLINE) == [*range(20, 0, -1)]
