"""`terminate` and `kill`: one signal to one `multiprocessing` process."""

import sys
from contextlib import closing
from multiprocessing.process import BaseProcess

from process_terminate._process import stdlib
from process_terminate._process.adapters import adapt, check


def terminate(process: BaseProcess) -> None:
    """Send `SIGTERM` to a worker, and return without waiting.

    It calls [`Process.terminate()`][multiprocessing], but raises clear errors, and
    first checks whether the process is already dead, as `subprocess` does.

    **When to use it:** if you want to wait for the end of the process yourself.
    Call `process.join(timeout)` next. If `process.is_alive()` is still true, call
    [`kill()`][process_terminate.kill] and `join()`.
    [`stop()`][process_terminate.stop] does all of this.

    **When not to use it:** if the process shares a queue, a lock or a pipe that other
    processes still use, because it may die while it holds one of them (see below).

    **Linux, macOS and BSD:** `SIGTERM` terminates a Python process at once unless the
    process handles, ignores or blocks the signal.
    `process.exitcode` is then -15, the negative number of the signal
    ([example: exit codes](../examples/exit_codes/read_exit_codes.md)).
    Only Linux was tested.

    **Windows:** `TerminateProcess` with exit code 0x10000 kills the process, which can
    neither handle nor ignore this call. `exitcode` shows -15.
    This ran on Wine 10, not on Windows
    ([example: no code of the worker runs](../examples/windows/finally_is_skipped.md)).

    A process that is [already dead](../examples/stop/terminate_a_dead_worker.md)
    is left alone, and keeps its exit code.

    [multiprocessing]: https://docs.python.org/3/library/multiprocessing.html#multiprocessing.Process.terminate

    Args:
        process: A started `multiprocessing.Process`, of any start method.

    Raises:
        TypeError: If `process` is not a `multiprocessing` process.
            `subprocess.Popen` and asyncio's processes have a `terminate()` of their
            own.
        ValueError: If it was
            [not started](../examples/process_objects/call_before_start.md), is
            [closed](../examples/process_objects/call_after_close.md), or is the
            calling process or its parent.
        PermissionError: If the system does not permit the signal, because the
            process runs as another user now.

    Warning: Caveats
        - It returns before the process is dead. Call `join()` to wait
          ([example: alive after terminate()](../examples/stop/terminate_does_not_wait.md)).
        - A process that ignores or blocks `SIGTERM` keeps running, and `join()`
          without a timeout waits for it
          ([example: terminate, then kill](../examples/stop/escalate_to_kill.md)).
        - Under fork, the process may have inherited a handler
          ([example: inherited handler](../examples/signals/forked_worker_inherits_handler.md)).
        - `finally` blocks and the exits of `with` blocks do not run, and unflushed
          output is lost, unless a handler raises, as `sys.exit()` does
          ([example: lost output](../examples/signals/finally_is_skipped.md)).
        - `atexit` functions do not run
          ([example: lost atexit](../examples/signals/atexit_is_skipped.md)).
        - A stopped process receives `SIGTERM` only after `SIGCONT`
          ([example: stopped worker](../examples/stop/terminate_a_stopped_worker.md)).
        - Children of the process become orphans and keep running
          ([example: orphaned child](../examples/children/orphaned_child.md)).
        - One of the processes that wait in `Queue.get()` holds the lock of the queue.
          If you terminate that process, no other process gets an item
          ([example: reader in get()](../examples/queues/terminate_a_reader_in_get.md)).
        - If its queue is still writing an item, even after `put()` has returned, half
          a message remains. Then `get(timeout=...)` hangs, and the queue stays locked
          ([example: writer in put()](../examples/queues/terminate_a_writer_in_put.md)).
        - If it is in the middle of a `Connection.send()`, half a message remains. The
          reader gets an `OSError` if every other copy of the sending end is closed
          ([example: sender in send()](../examples/queues/terminate_a_sender_in_send.md)).
        - If it is in `Event.wait()`, the next `Event.set()` hangs
          ([example: waiter on an event](../examples/queues/event_set_hangs.md)).
        - A `Lock` that it held stays locked until another process releases it
          ([example: lock of a dead process](../examples/queues/terminate_a_lock_holder.md)).
        - An `RLock` that it held stays locked forever
          ([example: RLock of a dead process](../examples/queues/terminate_an_rlock_holder.md)).
        - Any process that has the object can call it. Nothing checks that only the
          parent does
          ([example: call from a sibling](../examples/process_objects/terminate_from_a_sibling.md)).

    Note: Versions
        `Process.terminate()` exists since Python 2.6.
        In Python 3.14 and later the default start method on Linux is forkserver, not
        fork. The operating system then shows the forkserver as the parent of the
        process, and the process does not inherit your handlers.
    """
    if _is_running(process, "terminate"):
        process.terminate()


def kill(process: BaseProcess) -> None:
    """Send `SIGKILL` to a worker, and return without waiting.

    It calls [`Process.kill()`][multiprocessing], but raises clear errors, and first
    checks whether the process is already dead.

    **When to use it:** if the process ignores `SIGTERM`, or must not clean up.
    Call `process.join()` next.
    If the process should get a chance to clean up, call
    [`terminate()`][process_terminate.terminate] before.
    [`stop()`][process_terminate.stop] does both, and waits.

    **When not to use it:** as the first signal, if the process has something to clean
    up or children of its own.

    **Linux, macOS and BSD:** A process cannot handle, ignore or block `SIGKILL`.
    `process.exitcode` is then -9. Only Linux was tested.

    **Windows:** It does the same as [`terminate()`][process_terminate.terminate], and
    `exitcode` is -15. The library's tests ran this on Wine 10, not on Windows
    ([which tests ran on which platform](../evidence/platforms.md)).

    A process that is [already dead](../examples/stop/terminate_a_dead_worker.md)
    is left alone, and keeps its exit code.

    [multiprocessing]: https://docs.python.org/3/library/multiprocessing.html#multiprocessing.Process.kill

    Args:
        process: A started `multiprocessing.Process`, of any start method.

    Raises:
        TypeError: If `process` is not a `multiprocessing` process.
            `subprocess.Popen` and asyncio's processes have a `kill()` of their own.
        ValueError: If it was
            [not started](../examples/process_objects/call_before_start.md), is
            [closed](../examples/process_objects/call_after_close.md), or is the
            calling process or its parent.
        PermissionError: If the system does not permit the signal, because the
            process runs as another user now.

    Warning: Caveats
        - No handler and no `finally` block of the process runs
          ([example: skipped handlers](../examples/stop/terminate_or_kill.md)).
        - It also kills a stopped process, unlike `terminate()`
          ([example: stopped worker](../examples/stop/kill_a_stopped_worker.md)).
        - Children of the process become orphans and keep running
          ([example: orphaned child](../examples/children/orphaned_child.md)).
        - A `Lock` that it held stays locked until another process releases it
          ([example: lock of a dead process](../examples/queues/terminate_a_lock_holder.md)).
        - A queue on which it waited is unusable afterwards
          ([example: reader in get()](../examples/queues/terminate_a_reader_in_get.md)).

    Note: Versions
        `Process.kill()` is new in Python 3.7.
    """
    if _is_running(process, "kill"):
        process.kill()


def _is_running(process: BaseProcess, call: str) -> bool:
    """Return whether there is a process to signal; raise if there never can be.

    Another process may have its pid, if another part of the program has reaped it.
    """
    if check(process, call).exitcode is not None:
        return False
    if sys.platform == "win32" or not stdlib.started_here(process):
        return True
    with closing(adapt(process, call)) as target:
        return target.find() is not None
