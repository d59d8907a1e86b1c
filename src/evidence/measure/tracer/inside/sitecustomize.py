"""Notes what a traced process does: for `python -m evidence trace`.

Python imports a module of this name in each process that has its folder on
PYTHONPATH; a forked process inherits what the module changed. The functions
called `noting_...` replace those of the standard library.
"""

import _posixsubprocess
import atexit
import builtins
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from tracer_calls import EXAMPLE, unseen, watch  # type: ignore[import-not-found]
from tracer_notes import note  # type: ignore[import-not-found]
from tracer_proc import read, stat  # type: ignore[import-not-found]

#: Seconds that a process may take to come to rest before it is sent a signal.
PATIENCE = float(os.environ["TRACED_PATIENCE"])
#: Signals whose handlers Python and multiprocessing set for themselves.
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
plain_register = atexit.register
plain_start: Callable[..., None] = vars(BaseProcess)["start"]
plain_bootstrap: Callable[..., int] = vars(BaseProcess)["_bootstrap"]

#: The handlers of the example, by the noting handlers that are installed for them.
handlers: dict[Any, Any] = {}


def is_called_by_example() -> bool:
    """Return whether code of the example called the function that calls this one."""
    return bool(sys._getframe(2).f_code.co_filename == EXAMPLE)


def note_signal(pid: int, number: int, **more: Any) -> None:
    """Note a signal that is about to be sent, once its receiver is at rest.

    On busy cores the receiver may be late for the wait that the example is about.
    """
    if not number:
        return
    end = time.monotonic() + PATIENCE
    while (state := stat(pid)[:1]) == ["R"] and pid != os.getpid():
        if time.monotonic() > end:
            break
        time.sleep(0.001)
    note("signal", to=pid, signal=number, dead=state in ([], ["Z"], ["X"]), **more)


def listen(event: str, args: tuple[Any, ...]) -> None:
    """Note the signals that Python announces to audit hooks."""
    if event not in ("os.kill", "os.killpg"):
        return
    target, number = args
    if event == "os.kill" and target > 0:
        note_signal(target, number)
        return
    group = abs(target) or os.getpgrp()
    for pid in [int(path.name) for path in Path("/proc").glob("[0-9]*")]:
        if stat(pid)[2:3] == [str(group)]:
            note_signal(pid, number, group=True)


def noting_pidfd_send(pidfd: int, number: int, *more: Any) -> None:
    """Note a signal to the process of a pidfd."""
    lines = read("self", f"fdinfo/{pidfd}").splitlines()
    pid = next((int(line[4:]) for line in lines if line.startswith("Pid:")), -1)
    if pid > 0:
        note_signal(pid, number)
    plain_pidfd_send(pidfd, number, *more)


def noting_raise(number: int) -> None:
    """Note a signal that a process sends to itself."""
    note_signal(os.getpid(), number)
    plain_raise(number)


def noting_print(*values: object, sep: str | None = " ", **options: Any) -> None:
    """Print, and note the text if the example prints it to stdout."""
    plain_print(*values, sep=sep, **options)
    if is_called_by_example() and options.get("file") is None:
        text = (" " if sep is None else sep).join(map(str, values))
        note("print", line=sys._getframe(1).f_lineno, text=text)


def noting_signal(number: int, handler: Any) -> Any:
    """Install a handler that notes its runs, and note that it is installed."""
    if number in QUIET and not is_called_by_example():
        return handlers.get(old := plain_signal(number, handler), old)

    def noting_handler(number: int, frame: Any) -> Any:
        note("handled", signal=number)
        return handler(number, frame)

    unseen.add(noting_handler.__code__)
    noting = noting_handler if callable(handler) else handler
    old = plain_signal(number, noting)
    action = {signal.SIG_IGN: "ignore", signal.SIG_DFL: "default"}
    handlers[noting] = handler
    note("handler", signal=number, action=action.get(handler, "handle"))
    return handlers.get(old, old)


def noting_getsignal(number: int) -> Any:
    """Return the handler of the example, not the noting one."""
    return handlers.get(found := plain_getsignal(number), found)


def noting_fork() -> int:
    """Fork, and note the child."""
    began = time.monotonic_ns()
    pid = plain_fork()
    if pid:
        note("fork", at=began, child=pid)
    return pid


def noting_fork_exec(*args: Any) -> int:
    """Start a program, and note its command."""
    began = time.monotonic_ns()
    pid: int = plain_fork_exec(*args)
    note("fork", at=began, child=pid, argv=[os.fsdecode(a) for a in args[0]])
    return pid


def noting_waitpid(pid: int, options: int) -> tuple[int, int]:
    """Wait, and note the child that was reaped."""
    found, status = plain_waitpid(pid, options)
    if found > 0 and not (os.WIFSTOPPED(status) or os.WIFCONTINUED(status)):
        note("reap", child=found, code=os.waitstatus_to_exitcode(status))
    return found, status


def noting_waitid(idtype: int, id: int, options: int) -> os.waitid_result | None:  # noqa: A002
    """Wait, and note the child that was reaped, if any."""
    found = plain_waitid(idtype, id, options)
    ended = (os.CLD_EXITED, os.CLD_KILLED, os.CLD_DUMPED)
    if found and not options & os.WNOWAIT and found.si_code in ended:
        exited = found.si_code == os.CLD_EXITED
        code = found.si_status if exited else -found.si_status
        note("reap", child=found.si_pid, code=code)
    return found


def role_of(process: Any) -> dict[str, Any]:
    """Return what tells the role of a process of multiprocessing."""
    target = getattr(process, "_target", None)
    return {
        "class": type(process).__name__,
        "target": getattr(target, "__name__", None),
        "module": getattr(target, "__module__", None),
    }


def noting_start(self: Any) -> None:
    """Start a process, and note which process asked for it: a server may fork it."""
    role = role_of(self)  # start() deletes the target.
    plain_start(self)
    note("ask", child=self.pid, **role)


def noting_bootstrap(self: Any, *args: Any, **options: Any) -> int:
    """Note the role of a process of multiprocessing, and run it."""
    note("run", child=os.getpid(), **role_of(self))
    return plain_bootstrap(self, *args, **options)


def noting_register(function: Any, *args: Any, **options: Any) -> Any:
    """Register a function to run at exit, and note its run if it is the example's."""
    if not is_called_by_example():
        return plain_register(function, *args, **options)

    def noting_exit() -> None:
        note("cleanup", by="atexit")
        function(*args, **options)

    plain_register(noting_exit)
    return function


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
    vars(atexit)["register"] = noting_register
    setattr(BaseProcess, "start", noting_start)  # noqa: B010
    setattr(BaseProcess, "_bootstrap", noting_bootstrap)  # noqa: B010
    unseen.add(listen.__code__)
    sys.addaudithook(listen)
    threading.setprofile(watch)
    sys.setprofile(watch)
note("start")
