"""Watches that a run leaves no process behind, and ends what it left."""

import ctypes
import gc
import multiprocessing.process
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import forkserver, resource_tracker

import psutil

#: Seconds for a process that is on its way out when a run is over.
GRACE = 5.0
_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


@contextmanager
def ended() -> Iterator[list[str]]:
    """End what the block started and left; the value then describes each.

    Only processes that are new since the beginning of the block, and descend
    from this process, are touched. A thread that is left is named, too.
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
        left += _end_all_but(processes)
        # Those of the block are reaped now, which multiprocessing does not know.
        children.intersection_update(known)
        gc.collect()  # What the block has dropped, such as a Queue and its thread.
        left += _join_all_but(threads)
        _stop_servers()


def adopt_orphans() -> None:
    """Make this process the parent of its orphaned descendants, on Linux.

    Elsewhere an orphan is out of sight, and is not found.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def _end_all_but(spared: set[psutil.Process]) -> list[str]:
    """End the other descendants of this process; describe those that lived."""
    _, alive = psutil.wait_procs(_descendants_but(spared), timeout=GRACE)
    described = [_describe(process) for process in alive]
    for _ in range(10):  # A process may start another before it is killed.
        if not alive:
            return described
        for process in alive:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(alive, timeout=GRACE)
        alive = _descendants_but(spared)
    raise RuntimeError(f"cannot end {', '.join(map(_describe, alive))}")


def _descendants_but(spared: set[psutil.Process]) -> list[psutil.Process]:
    everyone = psutil.Process().children(recursive=True)
    servers = _servers()
    return [p for p in everyone if p not in spared and p.pid not in servers]


def _join_all_but(spared: set[threading.Thread]) -> list[str]:
    """Wait for the other threads to end; describe those that do not."""
    leaving = [t for t in threading.enumerate() if t not in spared]
    for thread in leaving:
        thread.join(GRACE)
    return [str(thread) for thread in leaving if thread.is_alive()]


def _servers() -> set[int | None]:
    """The pids of the servers that multiprocessing keeps for this process."""
    return {
        forkserver._forkserver._forkserver_pid,  # type: ignore[attr-defined]
        resource_tracker._resource_tracker._pid,  # type: ignore[attr-defined]
    }


def _stop_servers() -> None:
    """Stop those servers, so that the next run begins as a new program does.

    CPython's own tests do the same. To be called when their clients are dead,
    or it waits for them, and when no semaphore of the run is left to unregister.
    """
    forkserver._forkserver._stop()  # type: ignore[attr-defined]
    resource_tracker._resource_tracker._stop()  # type: ignore[attr-defined]


def _describe(process: psutil.Process) -> str:
    try:
        return f"pid {process.pid}, {process.status()}: {' '.join(process.cmdline())}"
    except psutil.Error:
        return f"pid {process.pid}, gone meanwhile"
