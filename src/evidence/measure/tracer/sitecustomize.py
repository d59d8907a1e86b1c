"""Notes what the processes of a traced example do: for `python -m evidence trace`.

Python imports a module of this name in every process that has its folder on
PYTHONPATH; a forked process inherits what it did. A note is appended in one write
by a descriptor that is closed at once, so that no process finds one to inherit.
"""

import _posixsubprocess
import atexit
import builtins
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

EXAMPLE = os.environ["TRACED_EXAMPLE"]
NOTES = os.environ["TRACED_NOTES"]
#: Calls from one place of the example that are all noted; then only slow ones.
OFTEN = 50
#: Seconds that a process may take to come to rest before it is sent a signal.
PATIENCE = float(os.environ["TRACED_PATIENCE"])
#: Nanoseconds that make a call slow.
SLOW = 100_000_000
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
plain_register = atexit.register
plain_start: Callable[..., None] = vars(BaseProcess)["start"]
plain_bootstrap: Callable[..., int] = vars(BaseProcess)["_bootstrap"]

#: What the noting handlers stand for: whoever asks is told the true ones.
handlers: dict[Any, Any] = {}

#: The calls of the example that have not returned, by their frames.
running: dict[Any, Any] = {}
#: How often each place of the example made a call.
made: dict[Any, int] = {}
#: The places of the instructions of the example.
places: dict[Any, list[Any]] = {}


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


def settled(pid: int) -> list[str]:
    """The same, when it is at rest: on busy cores it may be late for its wait."""
    end = time.monotonic() + PATIENCE
    while (found := stat(pid))[:1] == ["R"] and pid != os.getpid():
        if time.monotonic() > end:
            break
        time.sleep(0.001)
    return found


def in_group(group: int) -> list[int]:
    """The processes of a process group."""
    pids = [int(path.name) for path in Path("/proc").glob("[0-9]*")]
    return [pid for pid in pids if stat(pid)[2:3] == [str(group)]]


def note_signal(pid: int, number: int, **more: Any) -> None:
    """Note a signal that is about to be sent."""
    if number:
        fields = settled(pid)
        dead = fields[:1] in ([], ["Z"], ["X"])
        note("signal", to=pid, signal=number, dead=dead, **more)


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
            note_signal(pid, number, group=True)


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

    UNSEEN.add(noting_handler.__code__)
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


def what_it_is(process: Any) -> dict[str, Any]:
    """What tells the role of a process of multiprocessing."""
    target = getattr(process, "_target", None)  # It forgets it at its start.
    return {
        "name": process.name,
        "class": type(process).__name__,
        "target": getattr(target, "__name__", None),
        "module": getattr(target, "__module__", None),
    }


def noting_start(self: Any) -> None:
    """Start a process, and note who asked for it: a server may have forked it."""
    what = what_it_is(self)  # It forgets its target then.
    plain_start(self)
    note("ask", child=self.pid, **what)


def noting_bootstrap(self: Any, *args: Any, **options: Any) -> int:
    """Note what a process of multiprocessing is, and run it."""
    note("run", child=os.getpid(), **what_it_is(self))
    return plain_bootstrap(self, *args, **options)


def noting_register(function: Any, *args: Any, **options: Any) -> Any:
    """Register a function for the exit, and note its run if the example did it."""
    if sys._getframe(1).f_code.co_filename != EXAMPLE:
        return plain_register(function, *args, **options)

    def noting_exit() -> None:
        note("cleanup", by="atexit")
        function(*args, **options)

    plain_register(noting_exit)
    return function


def place(frame: Any) -> Any:
    """Where in the example a frame is: line, last line, column, last column."""
    code = frame.f_code
    if code not in places:
        # Python 3.10 knows the lines only.
        places[code] = list(getattr(code, "co_positions", list)())
    number = frame.f_lasti // 2
    found = places[code]
    return found[number] if number < len(found) else (frame.f_lineno,) * 4


def watch(frame: Any, event: str, arg: Any) -> None:
    """Note the calls that the example makes, and their returns: a profiler.

    A call that never returns has a beginning only.
    """
    if event == "c_call":
        if frame.f_code.co_filename == EXAMPLE:
            begin((id(frame), "c"), frame, arg.__name__)
    elif event == "call":
        code, caller = frame.f_code, frame.f_back
        if is_at_exit(code, caller):
            begin((id(frame), ""), None, code.co_name)
        elif (
            caller is not None
            and caller.f_code.co_filename == EXAMPLE
            and code.co_filename != EXAMPLE
            and code not in UNSEEN
        ):
            begin((id(frame), ""), caller, code.co_name)
    elif event == "return":
        end((id(frame), ""))
    else:
        end((id(frame), "c"))


def is_at_exit(code: Any, caller: Any) -> bool:
    """Whether multiprocessing joins what would be left when a process exits."""
    if code.co_name == "_finalize_join":
        return "multiprocessing" in code.co_filename
    return (
        code.co_name == "join"
        and caller is not None
        and caller.f_code.co_name == "_exit_function"
    )


def begin(key: Any, caller: Any, name: str) -> None:
    """A call begins."""
    at = time.monotonic_ns()
    where = None if caller is None else place(caller)
    spot = (name, where)
    made[spot] = made.get(spot, 0) + 1
    often = made[spot] > OFTEN
    running[key] = at, name, where, often
    if not often:
        note("call", at=at, name=name, where=where, tid=threading.get_native_id())


def end(key: Any) -> None:
    """A call is over, by a return or an exception."""
    if key not in running:
        return
    at, name, where, often = running.pop(key)
    if often and time.monotonic_ns() - at < SLOW:
        return
    tid = threading.get_native_id()
    if often:
        note("call", at=at, name=name, where=where, tid=tid)
    note("return", began=at, tid=tid)


#: Of this file, what Python calls in between, wherever the example is.
UNSEEN = {listen.__code__}


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
    sys.addaudithook(listen)
    threading.setprofile(watch)
    sys.setprofile(watch)
note("start", argv=sys.orig_argv)
