"""The private attributes of Python's own modules that this library reads.

Each function says what it returns where Python has changed the attribute, and
`tests/library/processes/test_stdlib.py` fails with its name when that happens.
"""

import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import InvalidStateError
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing.process import BaseProcess
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
#: The parts of a pool that are needed to end it.
_PARTS = [
    "_cache",
    "_change_notifier",
    "_inqueue",
    "_outqueue",
    "_pool",
    "_result_handler",
    "_task_handler",
    "_taskqueue",
    "_terminate",
    "_worker_handler",
]


def is_process(value: object) -> bool:
    """Return whether it is a process of multiprocessing, or of a copy of it."""
    modules = [sys.modules.get(f"{package}.process") for package in _COPIES]
    kinds = [getattr(module, "BaseProcess", BaseProcess) for module in modules]
    return isinstance(value, (BaseProcess, *kinds))


def popen_of(process: BaseProcess) -> Any:
    """Return what a started multiprocessing process is run by; None if unknown."""
    return getattr(process, "_popen", None)


def start_method(process: BaseProcess) -> str | None:
    """Return the start method of a started process; None if unknown."""
    method: str | None = getattr(popen_of(process), "method", None)
    return method


def started_here(process: BaseProcess) -> bool:
    """Return whether this process started it; True if unknown."""
    parent: int | None = getattr(process, "_parent_pid", None)
    return parent in (None, os.getpid())


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
    return _pids("forkserver", "_forkserver", "_forkserver_pid")


def resource_trackers() -> set[int]:
    """Return the pids of the resource trackers of this process; none if unknown."""
    return _pids("resource_tracker", "_resource_tracker", "_pid")


def _pids(module: str, server: str, attribute: str) -> set[int]:
    """Return the pid that a server of multiprocessing and its copies has noted."""
    servers = [getattr(_module(package, module), server, None) for package in _COPIES]
    return {pid for one in servers if (pid := getattr(one, attribute, None))}


def children_of_multiprocessing() -> set[int]:
    """Reap the dead children of multiprocessing and its copies; return the others."""
    found = set()
    for package in _COPIES:
        active_children = getattr(sys.modules.get(package), "active_children", None)
        if active_children is not None:
            found |= {child.pid for child in active_children()}
    return found


def reap_popen(popen: "subprocess.Popen[Any]", code: int | None) -> bool:
    """Reap a dead child through its object; return whether that is done.

    Unlike `poll()`, it never takes a child that was reaped elsewhere for a success.

    Args:
        popen: The object.
        code: The exit code of the child, if the system has reported it.
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


def is_task_of_executor() -> bool:
    """Return whether this is called by a task of a ProcessPoolExecutor."""
    return any(
        caller.f_code.co_name == "_process_worker"
        and "process" in caller.f_globals.get("__name__", "")
        for caller in _outward(sys._getframe())
    )


def pools() -> Iterator[Any]:
    """Return the pools of processes that are still open; none if unknown.

    A pool registers what multiprocessing has to do with it at exit.
    """
    for package in _COPIES:
        kind = getattr(_module(package, "pool"), "Pool", None)
        threads = getattr(_module(package, "pool"), "ThreadPool", ())
        registry = getattr(_module(package, "util"), "_finalizer_registry", {})
        if kind is None:
            continue
        for finalizer in list(registry.values()):
            pool = (getattr(finalizer, "_weakref", None) or (lambda: None))()
            if isinstance(pool, kind) and not isinstance(pool, threads):
                yield pool


def missing_parts(pool: Any) -> list[str]:
    """Return the parts of multiprocessing's Pool that an object does not have."""
    return [name for name in _PARTS if not hasattr(pool, name)]


def executors() -> Iterator[Any]:
    """Return the executors that have processes; none if unknown.

    Each has a thread that waits for its processes, and knows the executor.
    """
    for thread in threading.enumerate():
        if hasattr(thread, "executor_reference") and hasattr(thread, "processes"):
            executor = thread.executor_reference()
            yield executor if executor is not None else thread


def thread_of(executor: Any) -> threading.Thread | None:
    """Return the thread of an executor that has been shut down, while it runs."""
    for thread in threading.enumerate():
        owner = getattr(thread, "executor_reference", None)
        if callable(owner) and owner() is executor and hasattr(thread, "processes"):
            return thread
    return None


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
    try:
        system: Any = select
        poll = system.poll()
        poll.register(queue._writer, system.POLLOUT)
        return any(event & system.POLLOUT for _, event in poll.poll(0))
    except (AttributeError, OSError, ValueError):  # Windows; a queue that is closed.
        return False


def is_blocked(executor: Any) -> bool:
    """Return whether a call of shutdown() would wait; False if unknown.

    Another thread has its lock, or its thread does not read the pipe that wakes it.
    """
    lock = getattr(executor, "_shutdown_lock", None)
    pipe = getattr(executor, "_executor_manager_thread_wakeup", None)
    is_open = pipe is not None and not getattr(pipe, "_closed", True)
    full = is_open and hasattr(select, "poll") and not is_writable(pipe)
    return full or bool(getattr(lock, "locked", lambda: False)())


#: The functions below `signal`, which looks for enumerations in ten times their time.
_fast = sys.modules.get("_signal")
handler_of: Any = getattr(_fast, "getsignal", signal.getsignal)
set_handler: Any = getattr(_fast, "signal", signal.signal)


def has_other_reaper() -> bool:
    """Return whether SIGCHLD is ignored or handled, so that others reap children here.

    asyncio then says 255 of a child whose exit code it did not get.
    """
    number = getattr(signal, "SIGCHLD", None)
    return number is not None and handler_of(number) != signal.SIG_DFL


def free(lock: Any) -> None:
    """Release a lock of multiprocessing that a dead process may hold."""
    with suppress(AttributeError, ValueError, OSError):
        lock.acquire(timeout=0.05)
        lock.release()


def fail(result: Any, error: Exception) -> None:
    """Let a result of a pool that will never come raise an error."""
    with suppress(AttributeError, KeyError):
        if hasattr(result, "_index"):  # Of imap().
            result._set(result._index, (False, error))
            result._set_length(result._index)
        else:
            if hasattr(result, "_number_left"):  # Of map().
                result._number_left = 1
            result._set(0, (False, error))
