"""Notes what the processes of a traced example do: for `python -m evidence trace`.

Python imports a module of this name in every process that has its folder on
PYTHONPATH; a forked process inherits what it did. A note is appended in one write
by a descriptor that is closed at once, so that no process finds one to inherit.
"""

import _posixsubprocess
import builtins
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

EXAMPLE = os.environ["TRACED_EXAMPLE"]
NOTES = os.environ["TRACED_NOTES"]
# Python and multiprocessing set them for themselves.
QUIET = {signal.SIGINT, signal.SIGCHLD, signal.SIGPIPE}

plain_print = print
plain_fork = os.fork
plain_fork_exec = _posixsubprocess.fork_exec
plain_waitpid = os.waitpid
plain_waitid = os.waitid
plain_signal = signal.signal
plain_getsignal = signal.getsignal
plain_raise = signal.raise_signal
plain_pidfd_send = signal.pidfd_send_signal
plain_bootstrap: Callable[..., int] = vars(BaseProcess)["_bootstrap"]

#: What the noting handlers stand for: whoever asks is told the true ones.
handlers: dict[Any, Any] = {}


def note(kind: str, at: int | None = None, **more: object) -> None:
    """Append an event of this process to the notes."""
    pid = int(Path("/proc/self").readlink().name)  # Also in another PID namespace.
    event = {"at": at or time.monotonic_ns(), "kind": kind, "pid": pid}
    line = json.dumps({**event, "ppid": os.getppid(), **more}) + "\n"
    fd = os.open(NOTES, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.write(fd, line.encode())
    finally:
        os.close(fd)


def stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on; none if it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def in_group(group: int) -> list[int]:
    """The processes of a process group."""
    pids = [int(path.name) for path in Path("/proc").glob("[0-9]*")]
    return [pid for pid in pids if stat(pid)[2:3] == [str(group)]]


def note_signal(pid: int, number: int) -> None:
    """Note a signal that is about to be sent."""
    if number:
        fields = stat(pid)
        note("signal", to=pid, signal=number, dead=fields[:1] in (["Z"], ["X"]))


def listen(event: str, args: tuple[Any, ...]) -> None:
    """Note the signals that Python announces to audit hooks."""
    if event == "os.kill":
        pid, number = args
        if pid > 0:
            note_signal(pid, number)
            return
        args = (-pid or os.getpgrp(), number)
    if event in ("os.kill", "os.killpg"):
        group, number = args
        for pid in in_group(group or os.getpgrp()):
            note_signal(pid, number)


def noting_pidfd_send(pidfd: int, number: int, *more: Any) -> None:
    """Note a signal, and whom the descriptor stands for."""
    lines = Path(f"/proc/self/fdinfo/{pidfd}").read_text().splitlines()
    pid = next((int(line[4:]) for line in lines if line.startswith("Pid:")), -1)
    if pid > 0:
        note_signal(pid, number)
    plain_pidfd_send(pidfd, number, *more)


def noting_raise(number: int) -> None:
    """Note a signal to oneself."""
    note_signal(os.getpid(), number)
    plain_raise(number)


def noting_print(*values: object, sep: str | None = " ", **options: Any) -> None:
    """Print, and note the line of the example that it was called from."""
    plain_print(*values, sep=sep, **options)
    frame = sys._getframe(1)
    if frame.f_code.co_filename == EXAMPLE and options.get("file") is None:
        text = (" " if sep is None else sep).join(map(str, values))
        note("print", line=frame.f_lineno, text=text)


def noting_signal(number: int, handler: Any) -> Any:
    """Install a handler that notes its runs, and note that it is installed."""
    if number in QUIET and sys._getframe(1).f_code.co_filename != EXAMPLE:
        return handlers.get(old := plain_signal(number, handler), old)

    def noting_handler(number: int, frame: Any) -> Any:
        note("handled", signal=number)
        return handler(number, frame)

    noting = noting_handler if callable(handler) else handler
    old = plain_signal(number, noting)
    action = {signal.SIG_IGN: "ignore", signal.SIG_DFL: "default"}
    handlers[noting] = handler
    note("handler", signal=number, action=action.get(handler, "handle"))
    return handlers.get(old, old)


def noting_getsignal(number: int) -> Any:
    """Tell the true handler."""
    return handlers.get(found := plain_getsignal(number), found)


def noting_fork() -> int:
    """Fork, and note the child."""
    began = time.monotonic_ns()
    pid = plain_fork()
    if pid:
        note("fork", at=began, child=pid, how="fork")
    return pid


def noting_fork_exec(*args: Any) -> int:
    """Start a program, and note what it is."""
    began = time.monotonic_ns()
    pid: int = plain_fork_exec(*args)
    note(
        "fork", at=began, child=pid, how="exec", argv=[os.fsdecode(a) for a in args[0]]
    )
    return pid


def noting_waitpid(pid: int, options: int) -> tuple[int, int]:
    """Wait, and note who was reaped."""
    found, status = plain_waitpid(pid, options)
    if found > 0 and not (os.WIFSTOPPED(status) or os.WIFCONTINUED(status)):
        note("reap", child=found, code=os.waitstatus_to_exitcode(status))
    return found, status


def noting_waitid(idtype: int, id: int, options: int) -> os.waitid_result | None:  # noqa: A002
    """Wait, and note who was reaped, if anybody."""
    found = plain_waitid(idtype, id, options)
    ended = (os.CLD_EXITED, os.CLD_KILLED, os.CLD_DUMPED)
    if found and not options & os.WNOWAIT and found.si_code in ended:
        exited = found.si_code == os.CLD_EXITED
        code = found.si_status if exited else -found.si_status
        note("reap", child=found.si_pid, code=code)
    return found


def noting_bootstrap(self: Any, *args: Any, **options: Any) -> int:
    """Note what a process of multiprocessing is, and run it."""
    target = getattr(self._target, "__name__", None)
    note("run", name=self.name, target=target)
    return plain_bootstrap(self, *args, **options)


if "multiprocessing.resource_tracker" not in " ".join(sys.orig_argv):
    vars(builtins)["print"] = noting_print
    vars(_posixsubprocess)["fork_exec"] = noting_fork_exec
    vars(os).update(fork=noting_fork, waitpid=noting_waitpid, waitid=noting_waitid)
    vars(signal).update(
        signal=noting_signal,
        getsignal=noting_getsignal,
        raise_signal=noting_raise,
        pidfd_send_signal=noting_pidfd_send,
    )
    setattr(BaseProcess, "_bootstrap", noting_bootstrap)  # noqa: B010
    sys.addaudithook(listen)
note("start", argv=sys.orig_argv)
