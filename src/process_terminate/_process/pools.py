"""Pools and executors: how each stops replacing its workers, and is stopped.

Both replace a worker that is dead, so first the pool must stop that (`retire()`).
When all workers are dead, its threads and the callers that wait for results must be
released (`finish()`): locks and pipes may be as a killed worker left them.
"""

import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from multiprocessing.pool import Pool as MultiprocessingPool
from multiprocessing.pool import ThreadPool
from typing import Any

from process_terminate._log import log
from process_terminate._process import stdlib, table
from process_terminate._process.waits import NOTE_WAIT, Steps, pauses


class Pool(ABC):
    """A pool of processes, of some kind."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self._workers: list[Any] = self._current()

    @property
    def may_replace(self) -> bool:
        """Whether it may start workers although it should have retired."""
        return False

    @abstractmethod
    def _current(self) -> list[Any]:
        """Return the processes that the pool has now."""

    def workers(self) -> list[Any]:
        """Return the processes that the pool had, and those that it has."""
        known = {id(worker) for worker in self._workers}
        new = [worker for worker in self._current() if id(worker) not in known]
        self._workers += new
        return list(self._workers)

    def pids(self) -> set[int]:
        """Return the pids of its workers."""
        return {worker.pid for worker in self.workers() if worker.pid}

    @abstractmethod
    def retire(self) -> Steps[None]:
        """Make it start no worker any more."""

    def rest(self) -> Steps[None]:
        """Wait for some time until it starts no worker any more."""
        for short in pauses(NOTE_WAIT):
            if not self.may_replace:
                return
            yield short

    def settle(self) -> Steps[None]:
        """Wait until its threads have learned how the dead workers exited.

        A forkserver tells that once, and the second thread that asks gets 255.
        """
        yield from ()

    @abstractmethod
    def finish(self) -> Steps[None]:
        """Release what waits for it, after its workers are dead."""


def has_processes(pool: object) -> bool:
    """Return whether it is a pool or an executor that has processes, not threads."""
    if isinstance(pool, ThreadPool):
        return False
    known = isinstance(pool, MultiprocessingPool | ProcessPoolExecutor)
    return known or not stdlib.missing_parts(pool)


def adapt(pool: Any) -> Pool:
    """Return the adapter of a pool or an executor."""
    if isinstance(pool, threading.Thread) or hasattr(pool, "shutdown"):
        return _Executor(pool)
    if stdlib.missing_parts(pool):
        return _UnknownPool(pool)
    return _MultiprocessingPool(pool)


class _MultiprocessingPool(Pool):
    """`multiprocessing.Pool`, of any start method, and that of multiprocess."""

    def _current(self) -> list[Any]:
        return list(self._pool._pool)

    def pids(self) -> set[int]:
        # A worker that has just been forked is not in the list yet.
        forked = table.forked_by(self._pool._worker_handler.native_id)
        return super().pids() | forked

    @property
    def may_replace(self) -> bool:
        # It may be about to start many, each by spawn.
        handler: threading.Thread = self._pool._worker_handler
        return handler.is_alive()

    def retire(self) -> Steps[None]:
        pool = self._pool
        pool._state = "TERMINATE"
        pool._worker_handler._state = "TERMINATE"
        # Its thread wakes up, at the latest when a worker dies.
        if sys.platform == "win32" or stdlib.is_writable(pool._change_notifier):
            pool._change_notifier.put(None)
        yield from self.rest()

    def finish(self) -> Steps[None]:
        pool = self._pool
        yield from _join(pool._worker_handler)
        pool._terminate.cancel()  # It would wait without a limit.
        pool._task_handler._state = "TERMINATE"
        pool._result_handler._state = "TERMINATE"
        _free(pool._outqueue._wlock)  # A dead worker may hold it.
        pool._taskqueue.put(None)
        with suppress(OSError):
            pool._inqueue._reader.close()  # So that no write waits for a reader.
        yield from _join(pool._task_handler)
        # A child that was forked meanwhile may keep a copy of the end that is closed.
        if pool._result_handler.is_alive():
            if sys.platform == "win32":  # It does not tell whether a write would wait.
                yield from _call_apart(_put_end, pool._outqueue)
            elif stdlib.is_writable(pool._outqueue):
                _put_end(pool._outqueue)
        with suppress(OSError):
            pool._outqueue._writer.close()  # So that no read waits for a writer.
        yield from _join(pool._result_handler)
        yield from _call_apart(_fail_all, list(pool._cache.values()))


class _UnknownPool(Pool):
    """A pool with other parts, such as billiard's: it ends itself, in a thread.

    On a busy machine that may take longer than anybody waits for it.
    """

    def __init__(self, pool: Any) -> None:
        super().__init__(pool)
        self._thread = threading.Thread(target=pool.terminate, daemon=True)

    def _current(self) -> list[Any]:
        return list(getattr(self._pool, "_pool", []))

    @property
    def may_replace(self) -> bool:
        return self._thread.is_alive()

    def retire(self) -> Steps[None]:
        self._thread.start()
        yield from self.rest()

    def finish(self) -> Steps[None]:
        yield from _join(self._thread)  # It waited for workers that are dead now.


class _Executor(Pool):
    """`concurrent.futures.ProcessPoolExecutor`, and that of loky.

    If the executor was dropped, what stands for it is its thread.
    """

    def __init__(self, executor: Any) -> None:
        # shutdown(wait=False) takes both out of the executor, and lets workers run.
        self._thread: Any = (
            executor
            if isinstance(executor, threading.Thread)
            else getattr(executor, "_executor_manager_thread", None)
            or stdlib.thread_of(executor)
        )
        self._processes: dict[int, Any] = (
            getattr(executor, "_processes", None)
            or getattr(self._thread, "processes", None)
            or {}
        )
        super().__init__(executor)

    def _current(self) -> list[Any]:
        return list(self._processes.values())

    def retire(self) -> Steps[None]:
        if not hasattr(self._pool, "shutdown"):
            return
        # A thread in submit() holds the lock, forever if the pipe is full.
        for short in pauses(NOTE_WAIT):
            if not stdlib.is_blocked(self._pool):
                break
            yield short
        else:
            log.warning("an executor cannot be shut down: %r", self._pool)
            self._pool._shutdown_thread = True
            return
        try:
            self._pool.shutdown(wait=False, cancel_futures=True)
        except TypeError:  # That of loky.
            self._pool.shutdown(wait=False)

    def settle(self) -> Steps[None]:
        if self._thread is not None:
            yield from _join(self._thread, warn=False)

    def finish(self) -> Steps[None]:
        yield from self.settle()
        if self._thread is not None and self._thread.is_alive():
            queue: Any = getattr(self._thread, "call_queue", None)
            with suppress(AttributeError, OSError):
                queue._reader.close()  # So that no write waits for a reader.
            with suppress(AttributeError, OSError):
                # So that no read waits for the rest of a dead worker's result.
                self._thread.result_queue._writer.close()
            yield from _join(self._thread)
        yield from _call_apart(stdlib.fail_pending, self._thread)


def _put_end(queue: Any) -> None:
    """Tell the thread that reads a queue to return, unless another thread has closed it."""
    with suppress(OSError, TypeError):
        queue.put(None)


def _free(lock: Any) -> None:
    """Release a lock of multiprocessing that a dead process may hold."""
    with suppress(AttributeError, ValueError, OSError):
        lock.acquire(timeout=0.05)
        lock.release()


def _call_apart(call: Callable[[Any], None], value: Any) -> Steps[None]:
    """Call in a thread what may need a lock that this thread holds.

    In a signal handler, the code that it has interrupted may hold the lock of a result,
    and a callback of an executor may want a lock of the caller.
    """
    thread = threading.Thread(target=call, args=[value], daemon=True)
    try:
        if sys.is_finalizing():  # It would never begin, and start() waits for that.
            raise RuntimeError
        thread.start()
    except RuntimeError:  # There are too many threads.
        call(value)
    else:
        yield from _join(thread, warn=False)


def _fail_all(results: list[Any]) -> None:
    error = RuntimeError("the pool was stopped before the task was done")
    for result in results:
        _fail(result, error)


def _fail(result: Any, error: Exception) -> None:
    """Let a result of a pool that will never come raise an error.

    As after Pool.terminate(), no callback runs: it might wait for a lock of the caller.
    A result that is done is kept: it is still here because its callback runs, or failed.
    So is the first error of map().
    """
    with suppress(AttributeError, KeyError):
        if hasattr(result, "_index"):  # Of imap().
            result._set(result._index, (False, error))
            result._set_length(result._index)
            return
        # What tells that it is done: of map(), and of apply().
        left = getattr(result, "_number_left", not hasattr(result, "_success"))
        if left and getattr(result, "_success", True):
            result._success, result._value = False, error
        result._event.set()


def _join(thread: Any, *, warn: bool = True) -> Steps[None]:
    """Wait for some time until a thread has returned, unless it is this thread."""
    for short in pauses(NOTE_WAIT):
        if not thread.is_alive() or thread is threading.current_thread():
            return
        yield short
    if warn:
        log.warning("a thread of a pool is still running: %s", thread.name)
