"""Find the processes that a run left running, and kill them."""

import ctypes
import gc
import multiprocessing.process
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import forkserver, resource_tracker

import psutil

#: Seconds that a process has to exit by itself after a run.
GRACE = 5.0
#: Seconds in which at least one of the killed processes must be gone.
_DYING = 10.0
#: Not a time limit, because on a busy machine one round may take a second.
_ROUNDS = 1000
_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


@contextmanager
def ended() -> Iterator[list[str]]:
    """Kill what the block started and left running; the value then describes each.

    Processes that started before the block, or do not descend from this process,
    are left alone. A thread that keeps running is described, too. Each has `GRACE`
    seconds to exit by itself after the block.
    """
    adopt_orphans()
    processes = set(psutil.Process().children(recursive=True))
    children = multiprocessing.process._children  # type: ignore[attr-defined]
    known = set(children)
    threads = set(threading.enumerate())
    left: list[str] = []
    try:
        yield left
    finally:
        left += _kill_all_but(processes)
        # They are reaped now, but multiprocessing does not know.
        children.intersection_update(known)
        if any(_servers()) or set(threading.enumerate()) - threads:
            gc.collect()  # Ends, for example, the thread of a Queue that was dropped.
        left += _join_all_but(threads)
        _stop_servers()


def kill_all(find: Callable[[], Iterable[psutil.Process]]) -> None:
    """Kill what `find()` returns, until it returns nothing.

    Every process that it can miss must descend from one that it finds.
    """
    for _ in range(_ROUNDS):
        found = []
        for process in find():  # Killed on sight, because it may start others.
            found.append(process)
            with suppress(psutil.NoSuchProcess):
                process.kill()
        if not found:
            return
        if not psutil.wait_procs(found, timeout=_DYING)[0]:
            break
    raise RuntimeError(f"cannot kill {', '.join(map(_describe, found))}")


def adopt_orphans() -> None:
    """Make this process the parent of its orphaned descendants, on Linux.

    On other systems an orphan is not found.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def _kill_all_but(spared: set[psutil.Process]) -> list[str]:
    """Kill the other descendants of this process; describe those that kept running."""

    def find() -> list[psutil.Process]:
        everyone = psutil.Process().children(recursive=True)
        servers = _servers()
        return [p for p in everyone if p not in spared and p.pid not in servers]

    try:
        _, alive = psutil.wait_procs(find(), timeout=GRACE)
        return [_describe(process) for process in alive]
    finally:  # Even if Ctrl-C comes during the wait.
        kill_all(find)


def _join_all_but(spared: set[threading.Thread]) -> list[str]:
    """Wait for the other threads to end; describe those that keep running."""
    others = [t for t in threading.enumerate() if t not in spared]
    for thread in others:
        thread.join(GRACE)
    return [str(thread) for thread in others if thread.is_alive()]


def _servers() -> set[int | None]:
    """Return the pids of the servers that multiprocessing keeps for this process."""
    return {
        forkserver._forkserver._forkserver_pid,  # type: ignore[attr-defined]
        resource_tracker._resource_tracker._pid,  # type: ignore[attr-defined]
    }


def _stop_servers() -> None:
    """Stop those servers, so that the next run begins as a new program does.

    CPython's own tests do the same. Call it when their clients are dead, because it
    waits for them, and when no semaphore of the run is left to unregister.
    """
    forkserver._forkserver._stop()  # type: ignore[attr-defined]
    resource_tracker._resource_tracker._stop()  # type: ignore[attr-defined]


def _describe(process: psutil.Process) -> str:
    try:
        return f"pid {process.pid}, {process.status()}: {' '.join(process.cmdline())}"
    except psutil.Error:
        return f"pid {process.pid}, already gone"
