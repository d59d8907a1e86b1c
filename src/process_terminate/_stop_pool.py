"""`stop_pool`."""

import signal
from concurrent.futures import Executor
from multiprocessing.pool import Pool

from process_terminate import _pools
from process_terminate._adapters import adapt, kind
from process_terminate._ending import checked_grace, end_all
from process_terminate._exit_status import ExitStatus
from process_terminate._stop import statuses
from process_terminate._waits import Steps, run


def stop_pool(pool: Pool | Executor, *, grace: float = 5.0) -> list[ExitStatus]:
    """DOC-stop_pool."""
    return run(_stopping(pool, checked_grace(grace)))


def _stopping(pool: object, grace: float) -> Steps[list[ExitStatus]]:
    if not _pools.has_processes(pool):
        raise TypeError(
            "stop_pool() takes a multiprocessing.Pool or a ProcessPoolExecutor, "
            f"got {kind(pool)}"
        )
    ended = _pools.adapt(pool)
    try:
        yield from ended.retire()
    except BaseException:
        yield from _end(ended, 0)
        raise
    return (yield from _end(ended, grace))


def _end(ended: _pools.Pool, grace: float) -> Steps[list[ExitStatus]]:
    """End the workers of a pool that replaces none of them, then the pool."""
    started = [worker for worker in ended.workers() if worker.pid]
    targets = [adapt(worker, "stop_pool") for worker in started]
    try:
        handles = [handle for target in targets if (handle := target.find())]
        try:
            yield from end_all(handles, grace, signal.SIGTERM)
        finally:
            found = yield from statuses(targets)
    finally:
        for target in targets:
            target.close()
        yield from ended.finish()
    return found
