"""`no_orphans`."""

import os
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, ContextDecorator
from typing import Any, TypeVar

from process_terminate._process.ending import checked_grace, refuse_suspended
from process_terminate._process.gate import Gate
from process_terminate._process.waits import locked, run
from process_terminate._tree import blocks, jobs

F = TypeVar("F", bound=Callable[..., Any])
#: A lock for each process: that of a fork may be held by a thread that is not there.
_beginning: dict[int, threading.RLock] = {}


def no_orphans(*, grace: float = 5.0) -> "_Block":
    """Stop, at the end of a block, every process that was started in it.

    At the end of the `with` block it stops the pools and executors that were made
    inside, and sends `SIGTERM` to all processes that descend from the block.
    After `grace` seconds it sends `SIGKILL` to the processes that are still running.
    It does the same when an exception leaves the block, for example Ctrl-C.
    If an exception interrupts the end of the block, it kills the processes at once,
    and raises the exception. It leaves no process paused.
    If the block is still open when Python exits, for example in a daemon thread, its
    processes are killed then, without a grace period (tested on Linux).

    **When to use it:** around code that starts processes that may hide, for example
    with `setsid`, with a double fork, or because their parent is dead
    ([example: escape from a tree](../examples/children/escape_from_a_tree.md)).
    In a program with other threads, a process that another thread starts during the
    block counts as started inside.

    **When not to use it:** for one process and its descendants, because
    [`stop_tree()`][process_terminate.stop_tree] does that.
    Do not use it around code that starts a process that must survive the block, such
    as a daemon.

    **Linux:** A process that is started inside the block inherits a tag: a value of
    the resource limit `RLIMIT_LOCKS`, which the kernel has not used since 2.4.
    With the tag `no_orphans()` finds the process even if all its ancestors are dead,
    and does not confuse it with a process that an earlier child started.
    If that limit cannot be set or read, an orphan that may belong to an earlier child
    is left alone, and a warning is logged.
    This is so in a fourth block within three others, and for a program that is setgid
    or setuid, such as ssh-agent.
    The calling process is a child subreaper inside the block. An orphan of an earlier
    child may come to it, and is left alone. It stays a child of your program, and is a
    zombie when it is dead, until you call `os.waitpid()`.
    If `/proc` is gone at the end of the block, for example after `os.chroot()`, only
    the children of your program are stopped, and `RuntimeError` is raised.
    If your program cannot open another file then, it also stops only the children, and
    raises `OSError`.

    **macOS, BSD:** It raises `RuntimeError`, because it needs the child subreaper of
    Linux (not tested).

    **Windows:** The calling process enters a job object, and each process that is
    started inside the block belongs to it, even if its parent is dead.
    At the end of the block, `TerminateProcess` kills them at once, so `grace` has no
    effect.
    A process cannot leave a job object, so the calling process stays in it after the
    block (run on Wine, not on Windows itself).

    It leaves alone the resource trackers and forkservers of `multiprocessing`, and
    the workers of pools that were made before the block. It stops the workers that a
    forkserver starts inside the block, and those of a `ProcessPoolExecutor` that got
    its first task inside, even if you made the executor before the block.
    Each dead child is reaped by its own object, so you can read `process.poll()` and
    `process.exitcode` afterwards.
    You have to reap a child that you start with `os.fork()` or `os.posix_spawn()`: call
    `os.waitpid(pid, 0)` after the block. Write `os.posix_spawn(...)` in full. If you
    imported the function before the block (`from os import posix_spawn`),
    `no_orphans()` does not notice the call and reaps the child itself, so that
    `os.waitpid()` raises `ChildProcessError`.
    An event loop of asyncio reaps the children that it started.
    A `tornado.process.Subprocess` does not learn of the end of its process, because
    the `Popen` in it has been reaped: `wait_for_exit()` does not return.
    A child that C code has forked is reaped by `no_orphans()`.

    You can nest blocks in one thread and one asyncio task. Each block stops the
    processes that were started inside it.
    Stop a pool of pebble in the block, by its own `stop()`: otherwise it may start a
    worker after the end of the block, which runs until your program exits (17 of 30
    runs with pebble 5.2.3 and fork).
    If your program replaces itself in the block, for example by `os.execv()`, the end
    of the block does not run, and nothing is stopped.

    Args:
        grace: Seconds between `SIGTERM` and `SIGKILL`. 0 kills at once.

    Returns:
        A context manager, which is also a decorator of a function. Its value is
            `None`.

    Raises:
        TypeError: If `grace` is neither an `int` nor a `float`. Also if you decorate an
            `async def` or a generator function with it, whose code runs after the call.
        ValueError: If `grace` is negative or not finite.
        RuntimeError: If the system is neither Linux nor Windows, or another thread or
            asyncio task is inside such a block. Also if `/proc` is missing at the
            beginning or the end of the block, belongs to another pid namespace, or may
            not be read in a sandbox.
        OSError: If your program has as many files open as its hard limit permits
            (`ulimit -Hn`), at the beginning or the end of the block.
        PermissionError: If the system does not permit a signal to one of the
            processes.
        TimeoutError: If a process is still running 10 seconds after `SIGKILL`, or new
            ones appear faster than they can be killed.

    Warning: Caveats
        - It cannot help if the process that runs it is itself killed
          ([example: kill the process that runs no_orphans()](../examples/children/kill_the_no_orphans_process.md)).
        - If a fixture of pytest starts a process for the whole session, set it up
          before an `autouse` fixture enters `no_orphans()`
          ([example: stop what a test starts](../examples/children/pytest_leaves_processes.md)).
    """
    return _Block(checked_grace(grace))


class _Block(ContextDecorator, AbstractContextManager[None]):
    """What `no_orphans()` returns: a block, or a decorator of a function."""

    def __init__(self, grace: float) -> None:
        self._grace = grace
        self._entered: list[blocks.Block] = []

    def __enter__(self) -> None:
        self._entered.append(begin(self._grace))

    def __exit__(self, *_: object) -> None:
        run(innermost(self._entered).leaving())

    def __call__(self, function: F) -> F:
        refuse_suspended(function, "no_orphans")
        return super().__call__(function)


def innermost(entered: list[blocks.Block]) -> blocks.Block:
    """Take the block that is left from those that were entered."""
    if not entered:
        raise RuntimeError("no_orphans() was not entered: use a with statement")
    return entered.pop()


def begin(grace: float) -> blocks.Block:
    """Begin a block in the way of this system; RuntimeError if it has none."""
    make = jobs.JobBlock if sys.platform == "win32" else blocks.LinuxBlock
    block = None
    try:
        # An interrupted beginning would leave its tag. Of two threads that begin at
        # once, the second has to see the block of the first.
        lock = _beginning.setdefault(os.getpid(), threading.RLock())
        with Gate(), locked(lock):
            block = make(grace)
    except BaseException:
        if block:
            run(block.leaving())
        raise
    return block
