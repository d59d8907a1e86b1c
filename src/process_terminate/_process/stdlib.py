"""The private attributes of Python's own modules that this library reads.

Each function says what it returns where Python has changed the attribute, and
`tests/library/processes/test_stdlib.py` fails with its name when that happens.
"""

import os
import select
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import InvalidStateError
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing.process import BaseProcess
from operator import attrgetter
from types import FrameType, ModuleType
from typing import Any

#: Packages that are multiprocessing, or began as a copy of it.
_COPIES = (
    "multiprocessing",
    "multiprocess",
    "billiard",
    "loky.backend",
    "joblib.externals.loky.backend",
)
#: The parts of a pool that are needed to end it, and those of an executor.
_PARTS = [
    *("_cache", "_change_notifier.put", "_pool", "_taskqueue.put", "_terminate.cancel"),
    *("_inqueue._reader", "_outqueue._wlock", "_outqueue._writer"),
    *("_result_handler._state", "_task_handler._state", "_worker_handler._state"),
]
_PARTS_OF_EXECUTOR = ["_executor_manager_thread", "_processes"]

#: Not every system has poll().
_select: Any = select
_WRITABLE, _BROKEN = 4, 8  # POLLOUT and POLLERR, the same on Linux, macOS and BSD.


def is_process(value: object) -> bool:
    """Return whether it is a process of multiprocessing, or of a copy of it."""
    if isinstance(value, BaseProcess):
        return True
    modules = [sys.modules.get(f"{package}.process") for package in _COPIES]
    kinds = [getattr(module, "BaseProcess", BaseProcess) for module in modules]
    return isinstance(value, tuple(kinds))


def popen_of(process: BaseProcess) -> Any:
    """Return what a started multiprocessing process is run by; None if unknown."""
    return getattr(process, "_popen", None)


def start_method(process: BaseProcess) -> str | None:
    """Return the start method of a started process; None if unknown."""
    method: str | None = getattr(popen_of(process), "method", None)
    return method


def started_here(process: BaseProcess) -> bool:
    """Return whether this process started it; True if unknown."""
    return getattr(process, "_parent_pid", None) in (None, os.getpid())


def pipe_of_worker(process: BaseProcess) -> int | None:
    """Return the descriptor whose closing tells a worker of its parent's death, or None."""
    try:
        pipe: int = popen_of(process).finalizer._args[0]
    except (AttributeError, IndexError, TypeError):
        return None
    return pipe


def _module(package: str, name: str) -> ModuleType | None:
    return sys.modules.get(f"{package}.{name}")


def forkservers() -> set[int]:
    """Return the pids of the forkservers of this process; none if unknown."""
    return _pids("forkserver", "_forkserver", "_forkserver_pid", "_forkserver_alive_fd")


def resource_trackers() -> set[int]:
    """Return the pids of the resource trackers of this process; none if unknown."""
    return _pids("resource_tracker", "_resource_tracker", "_pid", "_fd")


def _pids(module: str, server: str, attribute: str, pipe: str) -> set[int]:
    """Return the pid that a server of multiprocessing and its copies has noted.

    If it is dead, so that no process reads its pipe, another may have its pid.
    """
    servers = [getattr(_module(package, module), server, None) for package in _COPIES]
    return {
        pid
        for one in servers
        if (pid := getattr(one, attribute, None))
        and not _events(getattr(one, pipe, None)) & _BROKEN
    }


def _events(pipe: Any, asked: int = 0) -> int:
    """Return which events of poll() a pipe has; 0 if unknown."""
    try:
        poll = _select.poll()
        poll.register(pipe, asked)
        return sum(event for _, event in poll.poll(0))
    # Windows; eventlet; a pipe that is closed; None.
    except (AttributeError, OSError, TypeError, ValueError):
        return 0


def children_of_multiprocessing() -> set[int]:
    """Reap the dead children of multiprocessing and its copies; return the others."""
    modules = [sys.modules.get(package) for package in _COPIES]
    listing = [getattr(module, "active_children", list) for module in modules]
    return {child.pid for active_children in listing for child in active_children()}


def reap_popen(popen: "subprocess.Popen[Any]", code: int | None) -> bool:
    """Reap a dead child through its object; return whether that is done.

    Unlike `poll()`, it never takes a child that was reaped elsewhere for a success:
    it has the exit code that the system has reported, if any.
    """
    lock = getattr(popen, "_waitpid_lock", None)
    note = getattr(popen, "_handle_exitstatus", None)
    if lock is None or note is None or sys.platform == "win32":
        if code is not None:
            popen.poll()
        return popen.returncode is not None
    # A thread in wait() holds the lock until it has noted the exit code.
    if not lock.acquire(blocking=False):
        return False
    try:
        if popen.returncode is None:
            try:
                pid, status = os.waitpid(popen.pid, os.WNOHANG)
            except ChildProcessError:
                popen.returncode = code
                return True
            if pid:
                note(status)
        return popen.returncode is not None
    finally:
        lock.release()


def is_of_past_loop(handler: Any) -> bool:
    """Return whether it handles Ctrl-C for an asyncio.run() whose main task is done."""
    task = (getattr(handler, "keywords", None) or {}).get("main_task")
    return task is not None and task.done()


def is_polled(process: BaseProcess) -> bool:
    """Return whether another thread waits for the exit code of a process."""
    popen = popen_of(process)
    frames: dict[int, FrameType] = getattr(sys, "_current_frames", dict)()
    frames.pop(threading.get_ident(), None)
    return any(
        caller.f_code.co_name == "poll" and caller.f_locals.get("self") is popen
        for frame in frames.values()
        for caller in _outward(frame)
    )


def _outward(frame: FrameType | None) -> Iterator[FrameType]:
    """Yield a frame and those that called it."""
    while frame is not None:
        yield frame
        frame = frame.f_back


def reap_dropped_popens() -> None:
    """Reap the children whose Popen was dropped; nothing if unknown."""
    getattr(subprocess, "_cleanup", lambda: None)()


def is_made_by_asyncio(frame: FrameType | None) -> bool:
    """Return whether an event loop creates the Popen whose __init__ is called here.

    Between both may be the wrapper of a tracer such as Sentry.
    """
    return any(
        caller.f_code.co_name == "_start"
        and str(caller.f_globals.get("__name__", "")).startswith("asyncio.")
        for caller in _outward(frame)
    )


def executor_of_task() -> FrameType | None:
    """Return the frame in which a ProcessPoolExecutor calls this task; None elsewhere.

    A forked worker has the frames of its parent too, so the innermost frame counts.
    """
    for caller in _outward(sys._getframe()):
        name = caller.f_globals.get("__name__", "")
        if caller.f_code.co_name == "_process_worker" and "process" in name:
            return caller
    return None


def pools() -> Iterator[Any]:
    """Return the pools of processes that are still open; none if unknown."""
    return (pool for pool, has_processes in _pools() if has_processes)


def _pools() -> Iterator[tuple[Any, bool]]:
    """Yield the pools that are open, and whether each is one of processes.

    A pool registers what multiprocessing has to do with it at exit.
    """
    for package in _COPIES:
        kind = getattr(_module(package, "pool"), "Pool", ())
        threads = getattr(_module(package, "pool"), "ThreadPool", ())
        registry = getattr(_module(package, "util"), "_finalizer_registry", {})
        for finalizer in list(registry.values()):
            pool = (getattr(finalizer, "_weakref", None) or (lambda: None))()
            if isinstance(pool, kind):
                yield pool, not isinstance(pool, threads)


def half_made_pools() -> set[threading.Thread]:
    """Return the thread of each pool whose constructor did not end; none if unknown.

    After an exception in it, such as Ctrl-C, the thread continues to replace workers.
    """
    kinds = [getattr(_module(package, "pool"), "Pool", 0) for package in _COPIES]
    replacing = [getattr(kind, "_handle_workers", 0) for kind in kinds]
    made = {getattr(pool, "_worker_handler", None) for pool, _ in _pools()}
    running = set(threading.enumerate()) - made
    return {one for one in running if getattr(one, "_target", None) in replacing}


def end_half_made_pool(thread: Any) -> None:
    """Let the thread of a pool whose constructor failed replace no worker any more."""
    thread._state = "TERMINATE"


def missing_parts(pool: Any) -> list[str]:
    """Return the parts of a Pool, or of an executor, that an object does not have."""
    parts = _PARTS_OF_EXECUTOR if hasattr(pool, "shutdown") else _PARTS
    return [name for name in parts if not _has(pool, name)]


def _has(value: Any, path: str) -> bool:
    with suppress(AttributeError):
        attrgetter(path)(value)
        return True
    return False


def executors() -> Iterator[Any]:
    """Return the executors that have processes, or their threads; none if unknown."""
    for thread, executor in _managers():
        yield thread if executor is None else executor


def thread_of(executor: Any) -> threading.Thread | None:
    """Return the thread of an executor that has been shut down, while it runs."""
    return next((thread for thread, one in _managers() if one is executor), None)


def _managers() -> Iterator[tuple[threading.Thread, Any]]:
    """Yield the threads that manage an executor each, and the executor, if it lives."""
    for thread in threading.enumerate():
        if hasattr(thread, "executor_reference") and hasattr(thread, "processes"):
            yield thread, thread.executor_reference()


def fail_pending(thread: Any) -> None:
    """Let all that wait for a task of an executor get an error, if its thread is dead.

    It dies of an exception if a worker has to be replaced after shutdown(wait=False):
    https://github.com/python/cpython/issues/132969.
    """
    items: dict[int, Any] = getattr(thread, "pending_work_items", None) or {}
    while items and not thread.is_alive():
        _, item = items.popitem()
        with suppress(InvalidStateError):
            item.future.set_exception(BrokenProcessPool("the executor was stopped"))


def is_writable(queue: Any) -> bool:
    """Return whether a write to a SimpleQueue does not wait; False if unknown."""
    return bool(_events(getattr(queue, "_writer", None), _WRITABLE) & _WRITABLE)


def is_blocked(executor: Any) -> bool:
    """Return whether a call of shutdown() would wait; False if unknown.

    Another thread has its lock, or its thread does not read the pipe that wakes it.
    """
    lock = getattr(executor, "_shutdown_lock", None)
    pipe = getattr(executor, "_executor_manager_thread_wakeup", None)
    is_open = pipe is not None and not getattr(pipe, "_closed", True)
    full = is_open and hasattr(_select, "poll") and not is_writable(pipe)
    return full or bool(getattr(lock, "locked", lambda: False)())
