"""The kinds of objects that stand for a process, each with a class of its own.

An adapter says which process is meant, and how that process exited. A new kind of
object needs one more class here, and a line in `adapt()`.
"""

import os
import subprocess
import sys
from abc import ABC, abstractmethod
from asyncio.subprocess import Process as AsyncioProcess
from collections.abc import Generator
from multiprocessing import current_process, parent_process
from multiprocessing.process import BaseProcess
from typing import Any

import psutil

from process_terminate._exit_status import ExitStatus
from process_terminate._process import ownership, stdlib, table
from process_terminate._process.handle import Handle, open_handle
from process_terminate._process.printable import kind, process_name
from process_terminate._process.waits import NOTE_WAIT, Steps, Wait, pause, pauses

AnyProcess = BaseProcess | subprocess.Popen[Any] | psutil.Process
"""Any process that [`stop()`][process_terminate.stop] takes."""

#: In a test, mocks may be in their places.
_PSUTIL, _PSUTIL_POPEN = psutil.Process, psutil.Popen
#: What multiprocessing says of a worker whose forkserver is dead.
_LOST_FORKSERVER = 255
#: Seconds in which another thread that has reaped a child has noted its exit code.
_NOTED = 0.3


def adapt(
    process: object, call: str, *, loop: bool = False, ancestors: bool = False
) -> "Adapter":
    """Return the adapter of a process; raise if it cannot be stopped.

    Args:
        process: What the caller of the library has given.
        call: The name of the function that was called, for messages.
        loop: Whether an event loop waits, so that its processes are taken.
        ancestors: Whether an ancestor of this process may be stopped.
    """
    if stdlib.is_process(process):
        return _Multiprocessing(process, call)
    if isinstance(process, _PSUTIL):
        return _Psutil(process, ancestors=ancestors)
    if isinstance(process, tuple(ownership.popen_classes())):
        return _Popen(process)
    if loop and isinstance(process, AsyncioProcess):
        return _Asyncio(process)
    takes = "multiprocessing.Process, subprocess.Popen or psutil.Process"
    hint = f" (use 'await process_terminate.aio.{call}(...)' for it)"
    hint *= isinstance(process, AsyncioProcess)
    pid = getattr(process, "pid", None)
    if not hint and isinstance(pid, int):
        hint = f" (pass psutil.Process({pid}) instead)"
    raise TypeError(f"{call}() takes a {takes}, got {kind(process)}{hint}")


class Adapter(ABC):
    """One process that a caller wants to stop, known by an object of some kind."""

    def __init__(self, process: Any) -> None:
        pid = getattr(process, "pid", None)
        if not isinstance(pid, int):  # Of a mock, which may count as 1.
            raise TypeError(
                f"the pid of a process must be an integer, got {pid!r} "
                f"from {kind(process)}"
            )
        self.process = process
        #: The pid that the object has; another process may have it by now.
        self.pid = pid
        #: Until when another thread may note the exit code of one of several.
        self.until = float("inf")
        self._handle: Handle | None = None

    def find(self) -> Handle | None:
        """Return a handle of the process; None if the process is gone."""
        try:
            handle = open_handle(self.pid, child=self._is_my_child())
        except ProcessLookupError:
            return None
        is_it = False
        try:  # What is true now stays true, because the handle was there before.
            is_it = self._is_it(handle)
        finally:
            if not is_it:
                handle.close()
        self._handle = handle if is_it else None
        return self._handle

    def _is_my_child(self) -> bool:
        """Return whether the process must be a child of this one."""
        return True

    @abstractmethod
    def _is_it(self, handle: Handle) -> bool:
        """Return whether the pid still belongs to the process that was meant."""

    def turn(self) -> int:
        """Return 0 if it only reads the code, 1 if it reaps, 2 if it may reap for others."""
        return 1

    def status(self) -> Steps[ExitStatus]:
        """Return how the process exited, if it has; reap it through its object."""
        if self._handle is not None and not self._handle.is_dead():
            return ExitStatus(None)
        code = yield from self._code()
        return ExitStatus(code, gone=code is None)

    def _code(self) -> Steps[int | None]:
        if sys.platform == "win32":
            return self._code_on_windows()
        return (yield from self._reap())

    @abstractmethod
    def _reap(self) -> Steps[int | None]:
        """Reap the dead process; return its exit code, None if that is unknown."""

    def _code_on_windows(self) -> int | None:
        """Return the exit code; there is nothing to reap."""
        poll = getattr(self.process, "poll", None)  # Both kinds of Popen have it.
        return poll() if poll else self._peek()

    def _peek(self) -> int | None:
        """Return the exit code of a child that is not reaped yet."""
        return self._handle.exit_code() if self._handle else None

    def close(self) -> None:
        """Release the process."""
        if self._handle is not None:
            self._handle.close()


class _Multiprocessing(Adapter):
    """`multiprocessing.Process`, of any start method and any copy of the module."""

    process: BaseProcess

    def __init__(self, process: object, call: str) -> None:
        super().__init__(check(process, call))
        if not stdlib.started_here(self.process):
            raise ValueError(
                f"process {self.process.name!r} was started by another process; "
                "only that process can stop it"
            )

    def _is_my_child(self) -> bool:
        return stdlib.start_method(self.process) not in ("forkserver", None)

    def _is_it(self, handle: Handle) -> bool:
        code = self.process.exitcode
        if self._is_my_child():
            return code is None and handle.is_child()
        # The forkserver is the parent. If it was killed, the exit code is 255, and
        # the worker is known by a pipe whose other end is here.
        if code is None:
            servers = stdlib.forkservers()
            if not servers:  # It is unknown, or there is none.
                return (
                    handle.is_child()
                    or stdlib.start_method(self.process) == "forkserver"
                )
            return handle.is_child() or handle.parent() in {*servers, None}
        pipe = stdlib.pipe_of_worker(self.process)
        return code == _LOST_FORKSERVER and table.has_pipe_to(handle.pid, pipe)

    def _reap(self) -> Generator[Wait, None, int | None]:
        code = self._peek()
        if not self._is_my_child():
            yield from self._learn()
        # A thread in join() may have reaped the process, and not yet noted that.
        for short in pauses(_NOTED, self.until):
            if not self.process.is_alive():
                break
            yield short
        return code if self.process.is_alive() else self.process.exitcode

    def _learn(self) -> Steps[None]:
        """Wait until the forkserver has said how the process exited.

        It says that once. Of two threads that ask, the second one would note 255.
        """
        for short in pauses(NOTE_WAIT):
            if not stdlib.is_polled(self.process):
                break
            yield short
        if self.process.exitcode is None:
            yield pause(NOTE_WAIT, self.process.sentinel)

    def _code_on_windows(self) -> int | None:
        return self.process.exitcode


class _Popen(Adapter):
    """`subprocess.Popen`."""

    process: "subprocess.Popen[Any]"

    def _is_it(self, handle: Handle) -> bool:
        if self.process.returncode is not None:
            return False
        return handle.is_child() or ownership.refuse_older(self.pid)

    def _reap(self) -> Generator[Wait, None, int | None]:
        if self.process.returncode is not None:
            return self.process.returncode
        code = self._peek()
        for short in pauses(NOTE_WAIT):
            if stdlib.reap_popen(self.process, code):
                break
            yield short
        return code if self.process.returncode is None else self.process.returncode


class _Psutil(Adapter):
    """`psutil.Process`, which may be any process, and `psutil.Popen`."""

    process: psutil.Process

    def __init__(self, process: psutil.Process, *, ancestors: bool) -> None:
        super().__init__(process)
        if process.pid == os.getpid():
            raise ValueError(f"{process!r} is the calling process; call sys.exit()")
        if (pid := table.process_of(process.pid)) != process.pid:
            raise ValueError(f"{process.pid} is a thread of process {pid}; stop {pid}")
        if not ancestors and process.pid in table.ancestors():
            raise ValueError(f"{process!r} is an ancestor of the calling process")

    def _is_my_child(self) -> bool:
        return False

    def _is_it(self, handle: Handle) -> bool:
        return ownership.is_running(self.process, is_child=handle.is_child)

    def turn(self) -> int:
        looks = not isinstance(self.process, _PSUTIL_POPEN) and self._peek() is not None
        return 0 if looks else 2

    def _reap(self) -> Generator[Wait, None, int | None]:
        yield from ()
        is_plain = not isinstance(self.process, _PSUTIL_POPEN)
        if is_plain and self._handle and self._handle.is_child():
            # It may have another object, to which the reaping is left.
            return self._peek()
        try:
            found = self.process.wait(timeout=0)
        except psutil.TimeoutExpired:  # A zombie of another process.
            return None
        return None if found is None else int(found)


class _Asyncio(Adapter):
    """`asyncio.subprocess.Process`, which its event loop reaps."""

    process: AsyncioProcess

    def _is_it(self, handle: Handle) -> bool:
        return self.process.returncode is None and handle.is_child()

    def _reap(self) -> Generator[Wait, None, int | None]:
        code = self._peek()
        for short in pauses(NOTE_WAIT):
            if (found := self.process.returncode) is not None:
                return code if found == 255 and ownership.has_other_reaper() else found
            yield short
        return code

    def _code(self) -> Steps[int | None]:
        return self._reap()  # On Windows, too, the event loop notes it later.


def check(process: Any, call: str) -> BaseProcess:
    """Return a multiprocessing process; raise if it cannot be signaled."""
    if not stdlib.is_process(process):
        raise TypeError(
            f"{call}() takes a multiprocessing.Process, got {kind(process)}"
        )
    checked: BaseProcess = process
    if stdlib.popen_of(process) is not None:  # It was started, and is not closed.
        return checked
    name = process_name(process)
    if process is current_process():
        raise ValueError(f"process {name!r} is the calling process; call sys.exit()")
    if process is parent_process():
        raise ValueError(f"process {name!r} is the parent; a child cannot {call}() it")
    try:
        pid = process.pid
    except ValueError:
        raise ValueError(
            f"process {name!r} is closed; call {call}() before close()"
        ) from None
    if pid is None:
        raise ValueError(f"process {name!r} was not started; call start() first")
    return checked
