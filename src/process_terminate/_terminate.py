"""`terminate` and `kill`: one signal to one `multiprocessing` process."""

from multiprocessing.process import BaseProcess

from process_terminate._adapters import check


def terminate(process: BaseProcess) -> None:
    """Ask a process to end: send it `SIGTERM`, and do not wait.

    This is [`Process.terminate()`][stdlib] with two additions: clear errors,
    and a look whether the process is dead already, which reaps it.
    To make sure that the process ends, call `process.join(timeout)` next, and
    [`kill()`](kill.md) and `join()` again if `process.is_alive()` is still true.

    On POSIX it sends `SIGTERM`, which ends a Python process at once unless the
    process handles, ignores or blocks that signal.
    [`process.exitcode`](../examples/terminate/read_exit_codes.md) is then -15,
    the [negative number of the signal](../examples/terminate/terminate_a_worker.md).

    On Windows it calls `TerminateProcess` with exit code 0x10000, which the
    process can neither handle nor ignore, and which `exitcode` shows as -15
    too (from [CPython's source][windows], not run).

    A process that is [already dead](../examples/terminate/terminate_a_dead_worker.md),
    joined or not, is left alone and keeps its exit code.
    The parent looks first, as `subprocess` does: under forkserver the pid of a
    dead process may already belong to another.
    One that dies between the look and the signal is not covered.

    [stdlib]: https://docs.python.org/3/library/multiprocessing.html#multiprocessing.Process.terminate
    [windows]: https://github.com/python/cpython/blob/3.14/Lib/multiprocessing/popen_spawn_win32.py

    Args:
        process: A started `multiprocessing.Process`, of any start method.

    Returns:
        Nothing; how the process ended is in `process.exitcode`, after
            `process.join()`.

    Raises:
        TypeError: If `process` is not a `multiprocessing` process.
            A `subprocess.Popen` and an `asyncio` process have a `terminate()`
            of their own.
        ValueError: If it was
            [not started](../examples/terminate/call_before_start.md), is
            [closed](../examples/terminate/call_after_close.md), or is the
            calling process or its parent.
        PermissionError: If the system forbids the signal, because the process
            runs as another user now.

    Warning: Caveats
        - It returns before the process is dead; `join()` waits for that.
          [Proof](../examples/terminate/return_before_death.md)
        - A process that ignores or blocks `SIGTERM` lives on, and `join()`
          without a timeout waits for it; under fork it may have inherited
          [a handler](../examples/terminate/inherit_the_handler.md).
          [Proof](../examples/terminate/escalate_to_kill.md)
        - `finally` blocks and the exits of `with` blocks do not run, and
          unflushed output is lost, unless a handler raises, as `sys.exit()` does.
          [Proof](../examples/terminate/lose_finally_and_buffers.md)
        - `atexit` functions do not run either.
          [Proof](../examples/terminate/lose_atexit.md)
        - A stopped process does not hear `SIGTERM` until `SIGCONT`.
          [Proof](../examples/terminate/terminate_a_stopped_worker.md)
        - Children of the process become orphans and live on.
          [Proof](../examples/family/leave_an_orphan.md)
        - Of the processes that merely wait in `Queue.get()`, one holds the
          queue's lock; after its death nobody else gets an item.
          [Proof](../examples/shared/end_a_reader_in_get.md)
        - Ended while its queue still writes an item, even after `put()` has
          returned, it leaves half a message, on which `get(timeout=...)` hangs,
          and a locked queue: the next writer's item never arrives, and that
          writer cannot exit.
          [Proof](../examples/shared/terminate_a_writer_in_put.md)
        - Ended in the middle of a `Connection.send()`, it leaves half a
          message, which the reader gets as an `OSError` if every other copy of
          the sending end is closed.
          [Proof](../examples/shared/terminate_a_sender_in_send.md)
        - Ended in `Event.wait()`, it makes the next `Event.set()` hang.
          [Proof](../examples/shared/terminate_a_waiter_on_an_event.md)
        - A `Lock` that it held stays locked, until another process releases
          it.
          [Proof](../examples/shared/end_a_lock_holder.md)
        - An `RLock` that it held stays locked for ever.
          [Proof](../examples/shared/terminate_an_rlock_holder.md)
        - Any process that has the object may call it: the rule that only the
          parent should is not checked.
          [Proof](../examples/terminate/call_from_a_sibling.md)

    Note: Versions
        `Process.terminate()` is as old as `multiprocessing`, from Python 2.6.
        From 3.14 on, the default start method on Linux is forkserver, not
        fork: the process is then no longer a child of the caller for the
        operating system, and does not inherit the caller's `SIGTERM` handler.

    Info: See also
        [`stop()`](stop.md) does both, and waits, and
        [`stop_tree()`](stop_tree.md) does it with all descendants;
        [`kill()`](kill.md) sends `SIGKILL`, which nothing can ignore.
    """
    if _is_running(process, "terminate"):
        process.terminate()


def kill(process: BaseProcess) -> None:
    """End a process that need not agree: send it `SIGKILL`, and do not wait.

    This is [`Process.kill()`][stdlib] with two additions: clear errors, and a
    look whether the process is dead already, which reaps it.
    Call `process.join()` next, to wait for the death and to reap the process.
    Where the process should get a chance to clean up, call
    [`terminate()`](terminate.md) first.

    On POSIX it sends `SIGKILL`, which a process can neither handle nor ignore
    nor block.
    `process.exitcode` is then -9.

    On Windows it is the same as [`terminate()`](terminate.md), and `exitcode`
    is -15 (from [CPython's source][windows], not run).

    A process that is [already dead](../examples/terminate/terminate_a_dead_worker.md),
    joined or not, is left alone and keeps its exit code.

    [stdlib]: https://docs.python.org/3/library/multiprocessing.html#multiprocessing.Process.kill
    [windows]: https://github.com/python/cpython/blob/3.14/Lib/multiprocessing/popen_spawn_win32.py

    Args:
        process: A started `multiprocessing.Process`, of any start method.

    Returns:
        Nothing; how the process ended is in `process.exitcode`, after
            `process.join()`.

    Raises:
        TypeError: If `process` is not a `multiprocessing` process.
            A `subprocess.Popen` and an `asyncio` process have a `kill()` of
            their own.
        ValueError: If it was
            [not started](../examples/terminate/call_before_start.md), is
            [closed](../examples/terminate/call_after_close.md), or is the
            calling process or its parent.
        PermissionError: If the system forbids the signal, because the process
            runs as another user now.

    Warning: Caveats
        - No handler and no `finally` block runs, whatever the process has
          prepared for its end.
          [Proof](../examples/terminate/skip_handlers_with_kill.md)
        - A stopped process dies as well, unlike with `terminate()`.
          [Proof](../examples/terminate/kill_a_stopped_worker.md)
        - Children of the process become orphans and live on.
          [Proof](../examples/family/leave_an_orphan.md)
        - A `Lock` that it held stays locked, until another process releases
          it.
          [Proof](../examples/shared/end_a_lock_holder.md)
        - A queue on which it waited is of no use afterwards; other queues,
          events and RLocks suffer as with [`terminate()`](terminate.md).
          [Proof](../examples/shared/end_a_reader_in_get.md)

    Note: Versions
        `Process.kill()` came with Python 3.7.

    Info: See also
        [`terminate()`](terminate.md) sends `SIGTERM`, which the process can
        handle.
    """
    if _is_running(process, "kill"):
        process.kill()


def _is_running(process: BaseProcess, call: str) -> bool:
    """Return whether there is a process to signal; raise if there never can be."""
    return check(process, call).exitcode is None
