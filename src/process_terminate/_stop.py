"""`stop` and `stop_all`."""

import signal as signals
from collections.abc import Iterable

from process_terminate._exit_status import ExitStatus
from process_terminate._process import table
from process_terminate._process.adapters import Adapter, AnyProcess, adapt
from process_terminate._process.ending import checked_grace, checked_signal, end_all
from process_terminate._process.gate import Gate
from process_terminate._process.handle import monotonic
from process_terminate._process.printable import kind
from process_terminate._process.waits import NOTE_WAIT, Steps, after_turns, run


def stop(
    process: AnyProcess, *, grace: float = 5.0, signal: int = signals.SIGTERM
) -> ExitStatus:
    """Stop one process, and return how it exited or was killed.

    It sends `SIGTERM` and waits up to `grace` seconds.
    If the process is still running then, it sends `SIGKILL`.
    It returns when the process is dead and reaped.
    If an exception interrupts the call, for example Ctrl-C or a timer, `stop()` kills
    the process at once, even in the middle of its cleanup, and raises the exception.

    **When to use it:** if the process must be dead when the call returns.
    Use [`stop_all()`][process_terminate.stop_all] for several processes,
    [`stop_tree()`][process_terminate.stop_tree] if the process has children of its
    own, and [`aio.stop()`][process_terminate.aio.stop] in a coroutine.

    **When not to use it:** for the worker of a pool, because the pool starts another
    worker. Use [`stop_pool()`][process_terminate.stop_pool] instead.
    After Ctrl-C in a terminal, a child that is cleaning up already has its signal, and
    a second one can interrupt it. Wait first, for example with
    `process.wait(10)`, and call `stop()` in a `finally`, because `wait()` may raise
    `TimeoutExpired`.
    In a daemon thread, `stop()` may end before its `SIGKILL`, because Python does not
    wait for the thread when it exits.
    If the process may be writing a file that it cannot write again, set a long
    `grace`, because `SIGKILL` follows.

    **Linux:** `stop()` tracks the process with a pidfd, so during the call it never
    signals another process that got the same pid, and it waits for an event instead of
    polling.
    If other code has reaped your child before the call, for example a handler that
    calls `os.waitpid(-1, 0)`, the child is left alone unless another child of yours
    has got its pid: `stop()` cannot tell these two apart.
    Without pidfds (Linux before 5.3, no free file descriptor) it compares pid and
    start time before each signal, and polls.
    It sends `SIGCONT` after the first signal, so that a stopped process receives it.

    **macOS and BSD:** As on Linux without pidfds (not tested).

    **Windows:** `TerminateProcess` kills the process at once, so there is no grace
    period, and the exit code is 15. This ran on Wine 10, not on Windows
    ([which tests ran on which platform](../evidence/platforms.md)).

    `stop()` never waits longer than the grace period and 12 seconds.
    Python may notice Ctrl-C only at the end of a wait, so `stop()` waits in steps of
    0.5 seconds at most.
    In the main thread it replaces the handlers of `signal` during the call, and puts
    them back. What C code has chained to such a handler is lost then, for example
    `faulthandler.register(signum, chain=True)` or `signal.siginterrupt(signum, False)`.
    It logs a warning to the logger `process_terminate` if `SIGKILL` was needed, and a
    debug message for each signal.

    Args:
        process: A started `multiprocessing.Process`, of any start method, or a
            `subprocess.Popen`, both started by the calling process, or any
            `psutil.Process`.
            If you pass a child as `psutil.Process`, `stop()` does not reap it,
            because another object may have to do that.
        grace: Seconds between the first signal and `SIGKILL`. 0 kills at once.
        signal: The first signal, for example `signal.SIGINT`.

    Returns:
        How the process exited or was killed. The code is `None` if it is not
            available here, because the process is not a child of this one, was reaped
            elsewhere, or is held by a debugger.

    Raises:
        TypeError: If `process` is none of these, `grace` is neither an `int` nor a
            `float`, or `signal` is not an `int`.
        ValueError: If `process` was not started, is closed, was started by another
            process, or is the calling process or one of its ancestors.
            Also if `grace` is negative or not finite, or this system has no such
            `signal`.
        RuntimeError: If `process` is a worker of a forkserver, no pidfd is available
            (they need Linux 5.3 or later), and `/proc` is missing or belongs to
            another pid namespace. Also if `process` is a `psutil.Process` that is not a
            child of this process, and `/proc` or `psutil.PROCFS_PATH` is such a one, or
            Python exits, as in a late `__del__`. It is raised before any signal is
            sent.
        OSError: If your program has as many files open as its hard limit permits
            (`ulimit -Hn`). It is raised before any signal is sent. It is not raised for
            a child that this process has started directly.
        PermissionError: If the system does not permit a signal to the process.
        TimeoutError: If the process is still running 10 seconds after `SIGKILL`, for
            example because it is in an uninterruptible system call, or is process 1
            of your container.

    Warning: Caveats
        - It does not stop the children of the process
          ([example: orphaned child](../examples/children/orphaned_child.md)).
        - Shared objects may be unusable afterwards. For example, a lock that the
          process held stays locked
          ([example: lock of a dead process](../examples/queues/terminate_a_lock_holder.md)).
        - The exit code is not available if the process was reaped elsewhere
          ([example: reaped elsewhere](../examples/exit_codes/reaped_elsewhere.md)).
        - If the forkserver of a worker was killed, `stop()` still stops the worker on
          Linux, but the exit code is 255 and not the one of the worker
          ([example: killed forkserver](../examples/exit_codes/forkserver_killed.md)).
        - `join(timeout)` may wait for a grandchild, but `stop()` does not
          ([example: join() behind a grandchild](../examples/process_objects/join_waits_for_a_grandchild.md)).
    """
    return run(stopping([process], grace, signal, call="stop"))[0]


def stop_all(
    processes: Iterable[AnyProcess],
    *,
    grace: float = 5.0,
    signal: int = signals.SIGTERM,
) -> list[ExitStatus]:
    """Stop several processes within one grace period, and return the status of each.

    It stops each process as [`stop()`][process_terminate.stop] does, but sends the
    first signal to all of them before it waits.
    If an exception interrupts the call, it kills all processes at once, and raises
    the exception.
    If it cannot stop one process, it stops the others before it raises the error.

    **When to use it:** if you started several workers, and want to wait for one grace
    period instead of one per worker.

    **When not to use it:** if one worker needs more time than the others. Call
    [`stop()`][process_terminate.stop] for that worker.

    **Linux, macOS and BSD, Windows:** As for [`stop()`][process_terminate.stop].

    Args:
        processes: Processes of any kind that `stop()` takes. You can mix the kinds.
        grace: Seconds between the first signal and `SIGKILL`. 0 kills at once.
        signal: The first signal, for example `signal.SIGINT`.

    Returns:
        The status of each process, in the order of `processes`.

    Raises:
        TypeError: As for `stop()`, before any signal is sent.
        ValueError: As for `stop()`, before any signal is sent.
        RuntimeError: As for `stop()`, before any signal is sent.
        OSError: As for `stop()`, before any signal is sent.
        PermissionError: As for `stop()`. The message lists every such process.
        TimeoutError: As for `stop()`. The message lists every such process.

    Warning: Caveats
        - It does not stop the children of the processes
          ([example: orphaned child](../examples/children/orphaned_child.md)).
        - All processes have the same deadline
          ([example: stop many workers](../examples/stop/stop_many_workers.md)).
    """
    return run(stopping(processes, grace, signal))


def stopping(  # noqa: PLR0913  # The last three differ by caller.
    processes: Iterable[object],
    grace: float,
    signal: int,
    *,
    call: str = "stop_all",
    loop: bool = False,
    ancestors: bool = False,
) -> Steps[list[ExitStatus]]:
    """Take the steps of `stop_all()`."""
    seconds, first = checked_grace(grace), checked_signal(signal)
    try:
        given = iter(processes)
    except TypeError:
        raise TypeError(
            "stop_all() takes several processes, such as a list, got "
            f"{kind(processes)}; use stop() for one process"
        ) from None
    with table.Room():
        targets = [
            adapt(process, call, loop=loop, ancestors=ancestors) for process in given
        ]
        return (
            yield from after_turns(
                loop, seconds, lambda grace: _stopped(targets, grace, first)
            )
        )


def _stopped(
    targets: list[Adapter], grace: float, first: int
) -> Steps[list[ExitStatus]]:
    with Gate() as gate:
        try:
            handles = [handle for target in targets if (handle := target.find())]
            try:
                yield from end_all(handles, grace, first, gate)
            finally:
                found = yield from statuses(targets)
        finally:
            for target in targets:
                target.close()
        return found


def statuses(targets: list[Adapter]) -> Steps[list[ExitStatus]]:
    """Return the status of each, by turns: an object may reap the process of another."""
    found = {}
    until = monotonic() + NOTE_WAIT
    for target in sorted(targets, key=lambda target: target.turn()):
        target.until = until
        found[id(target)] = yield from target.status()
    return [found[id(target)] for target in targets]
