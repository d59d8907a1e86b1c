"""`stop` and `stop_all`: end processes for certain, and know how they ended."""

import math
import multiprocessing.forkserver
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Literal

import psutil

from process_terminate._census import look_up
from process_terminate._exit_status import ExitStatus
from process_terminate._handle import Handle, hold, wait_for_all
from process_terminate._process import check
from process_terminate._worker import stop_worker

#: Any object that stands for one process.
AnyProcess = BaseProcess | subprocess.Popen[Any] | psutil.Process

#: What multiprocessing says of a worker whose forkserver is gone.
_LOST_FORKSERVER = 255
#: Seconds that a process may take to die of SIGKILL.
LAST_WAIT = 10.0
#: Seconds in which another thread that has reaped a child must have noted it.
_NOTE_WAIT = 0.3
# Between looking how a child ended and reaping it, no other thread may reap it.
_reaping = threading.Lock()


def stop(process: AnyProcess, *, grace: float = 5.0) -> ExitStatus:
    """End a process for certain, and return how it ended.

    Sends `SIGTERM`, waits up to `grace` seconds, sends `SIGKILL` if the process
    is still alive, waits until it is dead, and reaps it.
    [`terminate()`](terminate.md) and [`kill()`](kill.md) do one of these steps;
    [an example](../examples/terminate/stop_a_worker.md) shows the difference.
    Unlike `join(timeout)`, it does not wait for
    [a grandchild](../examples/terminate/join_behind_a_grandchild.md).

    On POSIX `SIGTERM` is followed by `SIGCONT`, so that a stopped process can
    hear it.
    On Linux the process is held by a pidfd: no signal reaches another process
    that got its pid, and waiting is by event.
    On macOS and the BSDs waiting is by kqueue, on Windows by the process's
    handle, and `SIGTERM` is `TerminateProcess`, which leaves no grace and, as
    psutil calls it, the exit code 15 (from the sources, not run).

    The wait is in steps of half a second: Python may handle a Ctrl-C only when a
    wait is over, and that is then the step, and not the grace period.

    A process that is dead already is reaped, and its status returned.

    Args:
        process: A started `multiprocessing.Process` of this process, a
            `subprocess.Popen` of this process, or any `psutil.Process`.
            For a child give its own object, not a `psutil.Process` of it, or
            it is reaped behind the back of its own.
        grace: Seconds between `SIGTERM` and `SIGKILL`; 0 kills at once.

    Returns:
        How the process ended. The code is `None` if only another process can
            tell: it is not a child of this one, or somebody else reaped it.

    Raises:
        TypeError: If `process` is none of these, or `grace` is not a number.
        ValueError: If `process` was not started, is closed, was started by
            another process, is the calling process or one of its ancestors; or
            if `grace` is negative or not finite.
        PermissionError: If the system forbids to signal the process.
        TimeoutError: If the process is alive 10 seconds after `SIGKILL`, because
            it is in an uninterruptible system call.

    Warning: Caveats
        - It does not end the children of the process.
          [Proof](../examples/family/leave_an_orphan.md)
        - What the process shared may be damaged: a lock that it held stays
          locked.
          [Proof](../examples/shared/end_a_lock_holder.md)
        - How the process ended is unknown if somebody else reaped it.
          [Proof](../examples/terminate/steal_the_reaping.md)
        - A worker whose forkserver was killed is ended all the same on Linux,
          but its status is 255, and not its own; elsewhere it is out of reach.
          [Proof](../examples/terminate/kill_the_forkserver.md)

    Info: See also
        [`stop_all()`](stop_all.md) for several processes,
        [`stop_tree()`](stop_tree.md) for a process with its descendants,
        [`exit_on_sigterm()`](exit_on_sigterm.md) for the worker that is to
        clean up.
    """
    try:
        found = stop_worker(process, grace)
    except BaseException:  # Ctrl-C while it waits.
        stop_all([process], grace=0)
        raise
    if isinstance(found, ExitStatus):
        return found
    return stop_all([process], grace=found)[0]


def stop_all(
    processes: Iterable[AnyProcess], *, grace: float = 5.0
) -> list[ExitStatus]:
    """End several processes for certain, all within one grace period.

    Does for each what [`stop()`](stop.md) does, but sends all `SIGTERM`s first,
    so that the processes end side by side:
    [one deadline for all](../examples/terminate/stop_many_workers.md), not one
    each.
    If a process cannot be ended, the others are, before the error is raised.

    Args:
        processes: What `stop()` takes, in any mixture.
        grace: Seconds between the `SIGTERM`s and the `SIGKILL`s; 0 kills at once.

    Returns:
        How each process ended, in the order of `processes`.

    Raises:
        TypeError: As for `stop()`, before any signal is sent.
        ValueError: As for `stop()`, before any signal is sent.
        PermissionError: As for `stop()`, naming every such process.
        TimeoutError: As for `stop()`, naming every such process.

    Warning: Caveats
        - It does not end the children of the processes.
          [Proof](../examples/family/leave_an_orphan.md)

    Info: See also
        [`stop()`](stop.md) for one process.
    """
    grace = checked_grace(grace)
    targets = [Target(process, "stop") for process in processes]
    try:
        handles = [handle for target in targets if (handle := target.find())]
        try:
            end_all(handles, grace)
        finally:
            statuses = _statuses(targets)
    finally:
        for target in targets:
            target.close()
    return statuses


def _statuses(targets: list["Target"]) -> list[ExitStatus]:
    """How each has ended; psutil is asked last: it reaps what belongs to others."""
    order = sorted(targets, key=lambda t: isinstance(t.process, psutil.Process))
    found = {id(target): target.status() for target in order}
    return [found[id(target)] for target in targets]


def end_all(handles: list[Handle], grace: float) -> None:
    """Send SIGTERM, wait, send SIGKILL, wait; raise if one is alive then."""
    alive = handles
    try:
        if grace > 0:
            deadline = time.monotonic() + grace
            for handle in handles:
                handle.tell("terminate")
                handle.tell("resume")
            alive = wait_for_all(handles, deadline)
    finally:  # Also when Ctrl-C comes while it waits.
        if alive:
            kill_all(alive)


def kill_all(handles: list[Handle]) -> None:
    """Send SIGKILL and wait; raise if one is alive then."""
    for handle in handles:
        handle.tell("kill")
    allowed = [handle for handle in handles if not handle.forbidden]
    alive = wait_for_all(allowed, time.monotonic() + LAST_WAIT)
    refused = [h for h in handles if h.forbidden and not h.wait()]
    forbidden = f"not permitted to signal {_names(refused)}"
    if alive:
        error = TimeoutError(f"alive {LAST_WAIT:g} s after SIGKILL: {_names(alive)}")
        if refused:
            error.add_note(forbidden)
        raise error
    if refused:
        raise PermissionError(forbidden)


def _names(handles: list[Handle]) -> str:
    return ", ".join(handle.describe() for handle in handles)


def checked_grace(grace: float) -> float:
    """The grace period in seconds, if it is one."""
    if not isinstance(grace, (int, float)) or isinstance(grace, bool):
        raise TypeError(f"grace is a number of seconds, not {grace!r}")
    try:
        seconds = float(grace)
    except OverflowError:
        seconds = math.inf
    if not math.isfinite(seconds) or seconds < 0:
        raise ValueError(f"grace is 0 or more seconds, and finite, not {grace!r:.40}")
    return seconds


class Target:
    """What a caller wants stopped: finds the process, and learns how it ended."""

    def __init__(self, process: AnyProcess, call: str) -> None:
        """Refuse what cannot be stopped, or must not be."""
        self.process = process
        self._handle: Handle | None = None
        if isinstance(process, BaseProcess):
            check(process, call)
            if process._parent_pid != os.getpid():  # type: ignore[attr-defined]
                raise ValueError(
                    f"{process.name!r} was started by another process, "
                    "and only that one can stop it"
                )
        elif isinstance(process, psutil.Process):
            _refuse_ancestors(process)
        elif not isinstance(process, subprocess.Popen):
            kind = f"{type(process).__module__}.{type(process).__qualname__}"
            raise TypeError(
                f"{call}() takes a multiprocessing.Process, a subprocess.Popen "
                f"or a psutil.Process, not {kind}: {process!r}"
            )

    def find(self) -> Handle | None:
        """A handle of the process; None if it is gone."""
        try:
            handle = hold(self.pid)
        except ProcessLookupError:
            return None
        is_it = False
        try:  # After the handle is there: what is true now stays true for it.
            is_it = self._is_it(handle)
        finally:
            if not is_it:
                handle.close()
        self._handle = handle if is_it else None
        return self._handle

    def _is_it(self, handle: Handle) -> bool:
        """Whether the pid still belongs to the process that was meant."""
        match self.process:
            case psutil.Process():
                return self.process.is_running()
            case subprocess.Popen():
                if self.process.returncode is not None:
                    return False
                return handle.is_child() or _refuse_older(self.pid)
        if _start_method(self.process) == "forkserver":
            return _is_worker_of_forkserver(self.process)
        with _reaping:
            return self.process.exitcode is None and handle.is_child()

    @property
    def pid(self) -> int:
        """The pid of the process, which may be another's by now."""
        return self.process.pid or 0

    def status(self) -> ExitStatus:
        """How the process ended, if it has; reaps it through its object."""
        if self._handle is not None and not self._handle.wait():
            return ExitStatus(None)
        if sys.platform == "win32":
            return ExitStatus(self._code_on_windows())
        match self.process:
            case psutil.Process():
                return ExitStatus(_reaped_by_psutil(self.process))
            case BaseProcess() if _start_method(self.process) == "forkserver":
                self.process.join(LAST_WAIT)  # Until the forkserver has reaped it.
                return ExitStatus(self.process.exitcode)
        with _reaping:
            code = self._handle.exit_code() if self._handle else None
            return ExitStatus(_reaped(self.process, code, self._is_unread(code)))

    def _code_on_windows(self) -> int | None:
        """The exit code; nobody reaps there, and an object has a handle to ask."""
        match self.process:
            case psutil.Process():
                return self._handle.exit_code() if self._handle else None
            case subprocess.Popen():
                return self.process.poll()
        return self.process.exitcode

    def _is_unread(self, code: int | None) -> bool:
        """Whether the exit code is still to be had; never so if it is known."""
        return code is None and self._handle is not None and self._handle.is_child()

    def close(self) -> None:
        """Let go of the process."""
        if self._handle is not None:
            self._handle.close()


def _reaped(
    process: BaseProcess | subprocess.Popen[Any], code: int | None, unread: bool
) -> int | None:
    """Reap a dead child through its object; its exit code, or None if unknown.

    It has been read already, or is still to be had, or else somebody else has it.
    """
    if isinstance(process, subprocess.Popen):
        if code is not None or unread:
            found = process.poll()
            return found if code is None else code
        # Whoever reaps by the object holds this lock until it has noted the code.
        # poll() would say 0 of a child that somebody else has reaped.
        with process._waitpid_lock:  # type: ignore[attr-defined]
            return process.returncode
    process.join()
    end = time.monotonic() + _NOTE_WAIT
    # A thread in join() or start() may have reaped it, and not yet noted it.
    while code is None and (code := process.exitcode) is None:
        if time.monotonic() >= end:
            break
        time.sleep(0.001)
    return code


def _reaped_by_psutil(process: psutil.Process) -> int | None:
    """Reap a dead process if it is a child; psutil then knows how it ended."""
    try:
        code = process.wait(timeout=0)
    except psutil.TimeoutExpired:  # A zombie of another process.
        return None
    return None if code is None else int(code)


def _refuse_ancestors(process: psutil.Process) -> None:
    """Raise if ending the process would end the caller, or take its parent away."""
    if process.pid == os.getpid():
        raise ValueError(f"{process!r} is the calling process: use sys.exit()")
    if process in psutil.Process().parents():
        raise ValueError(f"{process!r} is an ancestor of the calling process")


def _refuse_older(pid: int) -> Literal[False]:
    """Raise if a process that is no child here is older than the caller.

    Then it belongs to the process that the caller was forked from. A younger one
    has only got the pid of a child that somebody else has reaped.
    """
    found, caller = look_up(pid), look_up(os.getpid())
    if found and caller and found.started <= caller.started and not found.is_dead:
        raise ValueError(
            f"pid {pid} was started by another process, and only that one can stop it"
        )
    return False


def _start_method(process: object) -> str | None:
    """The start method of a multiprocessing process."""
    method: str | None = getattr(getattr(process, "_popen", None), "method", None)
    return method


def _is_worker_of_forkserver(process: Any) -> bool:
    """Whether the pid is still that of the worker which a forkserver started.

    The forkserver is the parent of the worker. If it was killed, the exit code
    is 255, and the worker is known by a pipe whose other end is here: by its end
    the worker would learn that its `parent_process()` is dead.
    """
    server: Any = multiprocessing.forkserver._forkserver
    code = process.exitcode
    if code is None and (entry := look_up(process.pid)):
        return bool(entry.parent == server._forkserver_pid)
    return code == _LOST_FORKSERVER and _holds_other_end(
        process.pid, process._popen.finalizer._args[0]
    )


def _holds_other_end(pid: int, pipe: int) -> bool:
    """Whether a process has the pipe open that belongs to a descriptor here."""
    try:
        ours = os.fstat(pipe)
        folder = Path(f"/proc/{pid}/fd")
        return any(os.path.samestat(fd.stat(), ours) for fd in folder.iterdir())
    except OSError:
        return False
