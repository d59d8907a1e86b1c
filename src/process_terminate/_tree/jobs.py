"""The job objects of Windows: a process that is started in one belongs to it.

It belongs to it even if its parent is dead. No process can leave a job again, so
neither can the calling process, which has to be in it first.
See https://learn.microsoft.com/windows/win32/procthread/job-objects
"""

import os
import signal
import struct
from typing import Any

from process_terminate._process.gate import Gate
from process_terminate._process.waits import LAST_WAIT, Steps, pauses
from process_terminate._tree.blocks import Block, active

#: winnt.h: JobObjectBasicProcessIdList, and the rights that are needed to terminate.
_PROCESS_ID_LIST = 3
_RIGHTS = 0x0001 | 0x0400
#: Space for so many pids at first.
_ROOM = 256
#: winerror.h: ERROR_MORE_DATA.
_MORE_DATA = 234


class Job:
    """A job that the calling process is in."""

    def __init__(self) -> None:
        """Enter a new job, within those that the process is in already."""
        self._system = _Kernel32()
        self._job = self._system.check(self._system.CreateJobObjectW(None, None))
        this_process = self._system.pointer(-1)
        self._system.check(
            self._system.AssignProcessToJobObject(self._job, this_process)
        )

    def pids(self) -> set[int]:
        """Return the pids of its other living processes."""
        room = _ROOM
        while True:
            answer = self._system.list_pids(self._job, room)
            if answer is not None:
                return answer - {os.getpid()}
            room *= 4

    def end(self, spared: set[int]) -> Steps[None]:
        """Terminate its other processes, and those that they start meanwhile."""
        refused: set[int] = set()
        left: set[int] = set()
        for short in pauses(LAST_WAIT):
            left = self.pids() - spared
            if not left:
                return
            refused = {pid for pid in left if not self._terminate(pid)}
            if left == refused:
                raise PermissionError(f"not permitted to terminate {_names(left)}")
            yield short
        raise TimeoutError(
            f"still running {LAST_WAIT:g} s after TerminateProcess: {_names(left)}"
        )

    def _terminate(self, pid: int) -> bool:
        """Terminate a process; return whether that was permitted.

        It is opened before it is looked at, so another one that got its pid is safe.
        """
        system = self._system
        process = system.OpenProcess(_RIGHTS, False, pid)
        if not process:
            return pid not in self.pids()
        try:
            if system.is_in_job(process, self._job):
                system.TerminateProcess(process, signal.SIGTERM)
        finally:
            system.CloseHandle(process)
        return True


def _names(pids: set[int]) -> str:
    return ", ".join(f"pid {pid}" for pid in sorted(pids))


#: The innermost job that this process is in.
_innermost: Job | None = None


def _enter() -> Job:
    """Return a job with no other process; what is started from now on is in it.

    Jobs nest for the rest of this process's life, so an empty one is used again.
    """
    global _innermost  # noqa: PLW0603
    if _innermost is None or _innermost.pids():
        try:
            _innermost = Job()
        except (OSError, ImportError, AttributeError) as error:
            raise RuntimeError(
                f"no_orphans() needs job objects that nest (Windows 8): {error}"
            ) from None
    return _innermost


class JobBlock(Block):
    """A block on Windows, where a job object has what was started in it."""

    def __init__(self, grace: float) -> None:
        """Begin the block; RuntimeError if that is not possible here."""
        super().__init__(grace)
        self._job = _enter()
        active.append(self)

    def leaving(self) -> Steps[None]:
        """Take the steps of the end of the block; Windows leaves no grace period.

        Ctrl-C has to wait for it: half of it would leave processes running.
        """
        if self not in active:  # It was ended at exit.
            return
        active.remove(self)
        with Gate():
            ended = self._new_pools()
            try:
                for pool in ended:
                    yield from pool.retire()
            finally:  # Even if another thread raises an exception in this one.
                try:
                    yield from self._job.end(self._spared())
                finally:
                    for pool in ended:
                        yield from pool.finish()
                    if ended:  # A slow one may have started a worker meanwhile.
                        yield from self._job.end(self._spared())


class _Kernel32:
    """The calls of kernel32.dll that are needed here, with the types of handles."""

    def __init__(self) -> None:
        import ctypes  # noqa: PLC0415  # Some builds of Python have none.

        windows: Any = ctypes  # Other systems have no WinDLL.
        self._ctypes = windows
        dll = windows.WinDLL("kernel32", use_last_error=True)
        self.pointer = ctypes.c_void_p
        for name in ("CreateJobObjectW", "OpenProcess"):
            getattr(dll, name).restype = ctypes.c_void_p
        handle, number = ctypes.c_void_p, ctypes.c_uint
        dll.AssignProcessToJobObject.argtypes = [handle, handle]
        dll.TerminateProcess.argtypes = [handle, number]
        dll.CloseHandle.argtypes = [handle]
        dll.IsProcessInJob.argtypes = [handle, handle, handle]
        dll.QueryInformationJobObject.argtypes = [
            *(handle, number, handle, number, handle),
        ]
        self._dll = dll

    def __getattr__(self, name: str) -> Any:
        return getattr(self._dll, name)

    def check(self, result: Any) -> Any:
        """Return what a call has returned; OSError if it has failed."""
        if not result:
            raise self._ctypes.WinError(self._ctypes.get_last_error())
        return result

    def is_in_job(self, process: int, job: int) -> bool:
        """Return whether a process belongs to a job."""
        answer = self._ctypes.c_int()
        self.check(self._dll.IsProcessInJob(process, job, self._ctypes.byref(answer)))
        return bool(answer.value)

    def list_pids(self, job: int, room: int) -> set[int] | None:
        """Return the pids of a job; None if there is not room for all."""
        head = struct.calcsize("II")
        size = head + room * struct.calcsize("P")
        buffer = self._ctypes.create_string_buffer(size)
        done = self._dll.QueryInformationJobObject(
            job, _PROCESS_ID_LIST, buffer, size, None
        )
        if not done and self._ctypes.get_last_error() == _MORE_DATA:
            return None
        self.check(done)
        _, count = struct.unpack_from("II", buffer)
        return set(struct.unpack_from(f"{count}P", buffer, head))
