"""`stop_pool`."""

import signal
from concurrent.futures import Executor
from multiprocessing.pool import Pool

from process_terminate._exit_status import ExitStatus
from process_terminate._process import pools, stdlib, table
from process_terminate._process.adapters import Adapter, adapt
from process_terminate._process.ending import checked_grace, end_all
from process_terminate._process.gate import Gate
from process_terminate._process.printable import kind
from process_terminate._process.waits import Steps, run
from process_terminate._stop import statuses

#: How often workers are stopped, if the pool is still starting some.
_ROUNDS = 10


def stop_pool(pool: Pool | Executor, *, grace: float = 5.0) -> list[ExitStatus]:
    """Stop a pool or an executor, and return the status of each of its workers.

    It keeps the pool from replacing workers, sends `SIGTERM` to the workers, and waits
    up to `grace` seconds.
    Then it sends `SIGKILL` to the remaining workers, and stops the threads of the pool.
    If you wait for a pending result, you get an error instead of waiting forever:
    `RuntimeError` for a pool, or `BrokenPipeError` for a task that was being sent to
    it, and `BrokenProcessPool` or `CancelledError` for an executor.
    As after `Pool.terminate()`, no `error_callback` of a pending result is called,
    except that of a task that was being sent.
    If an exception interrupts the wait, for example Ctrl-C, `stop_pool()` kills the
    workers at once, and raises the exception.

    **When to use it:** if workers may hang or ignore `SIGTERM`.
    `Pool.terminate()` then waits forever, and an executor has no call that stops its
    workers and waits.

    **When not to use it:** if you can let the tasks finish. Then call `close()` and
    `join()`, or `shutdown()` for an executor.
    A `ThreadPool` has no processes that you could stop.

    **Linux, macOS and BSD, Windows:** As for [`stop()`][process_terminate.stop].
    It reads private attributes of CPython 3.11 to 3.15.

    Args:
        pool: A `multiprocessing.Pool`, a `ProcessPoolExecutor`, a `Pool` of
            multiprocess (`pathos.multiprocessing.Pool`), or an executor of loky.
        grace: Seconds between `SIGTERM` and `SIGKILL`. 0 kills at once.

    Returns:
        The status of each worker. A worker of a `multiprocessing.Pool` that has no
        task may exit with 0 before the signal arrives. An executor sends `SIGTERM` to
        its other workers when one is dead, so their status may be -15 with `grace=0`.

    Raises:
        TypeError: If `pool` is none of these, for example a `ThreadPool`.
        ValueError: As for `stop()`.
        RuntimeError: If this Python has other private attributes, or as for `stop()`.
            It is raised before any signal is sent, and the pool can still be used.
        OSError: As for `stop()`.
        PermissionError: As for `stop()`. The message lists every such worker.
        TimeoutError: As for `stop()`. The message lists every such worker.

    Warning: Caveats
        - It does not stop the children of the workers
          ([example: orphaned child](../examples/children/orphaned_child.md)).
        - `Pool.terminate()` waits for a worker that ignores `SIGTERM`
          ([example: pool that ignores SIGTERM](../examples/pools/pool_inherits_sigterm_handler.md)).
    """
    seconds = checked_grace(grace)
    with table.Room():
        return run(_stopping(pool, seconds))


def _stopping(pool: object, grace: float) -> Steps[list[ExitStatus]]:
    if not pools.has_processes(pool):
        raise TypeError(
            "stop_pool() takes a multiprocessing.Pool or a ProcessPoolExecutor, "
            f"got {kind(pool)}"
        )
    if missing := stdlib.missing_parts(pool):
        raise RuntimeError(
            f"stop_pool() needs {', '.join(missing)} of the pool, which this Python "
            "does not have; use the pool's own terminate() or shutdown()"
        )
    ended = pools.adapt(pool)
    for worker in ended.workers():  # Those that cannot be stopped here are refused.
        target = adapt(worker, "stop_pool")
        target.find()
        target.close()
    with Gate() as gate:
        try:
            with gate.opened():
                yield from ended.retire()
        except BaseException:
            grace = 0
            raise
        finally:
            found = yield from _end(ended, grace, gate)
        return found


def _end(ended: pools.Pool, grace: float, gate: Gate) -> Steps[list[ExitStatus]]:
    """Stop the workers of a pool that replaces none of them, then the pool."""
    targets: list[Adapter] = []
    try:
        try:
            for _ in range(_ROUNDS):
                is_last = not ended.may_replace
                known = {target.pid for target in targets}
                started = [w for w in ended.workers() if w.pid and w.pid not in known]
                new = [adapt(worker, "stop_pool") for worker in started]
                targets += new
                handles = [handle for target in new if (handle := target.find())]
                yield from end_all(handles, grace, signal.SIGTERM, gate)
                if is_last:
                    break
                yield from ended.rest()
        finally:
            yield from ended.settle()
            found = yield from statuses(targets)
    finally:
        for target in targets:
            target.close()
        yield from ended.finish()
    return found
