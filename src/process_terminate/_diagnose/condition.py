"""Findings about the state of a process and about its signals."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress

from process_terminate._diagnose.calls import decode
from process_terminate._diagnose.findings import Finding, count_of, finding, name_of
from process_terminate._diagnose.reading import GoneError, Process
from process_terminate._exit_status import ExitStatus

#: Signals that people and tools send to stop a process, and what sends them.
_ASKING = {
    "SIGTERM": "terminate()",
    "SIGINT": "Ctrl-C",
    "SIGHUP": "a closed terminal",
    "SIGQUIT": "Ctrl-\\",
}
_KILL = "Use kill(), or stop(), which kills after its grace period."
#: System calls in which vfork(2) waits, as subprocess uses it.
_VFORKS = {"vfork", "clone", "clone3"}
#: Capability to signal the processes of other users, see capabilities(7).
_CAP_KILL = 5


def state_findings(process: Process) -> Iterator[Finding]:
    """Yield what keeps the process from running, or from being reaped."""
    state = process.stat.state
    if process.stat.is_dead:
        yield _zombie(process)
    elif state == "Z":
        yield _first_thread_gone(process)
    elif state == "T":
        yield _stopped(process)
    elif state == "t" or int(process.status.get("TracerPid", "0")):
        yield _traced(process)
    yield from _frozen(process)
    if any(thread.state == "D" for thread in process.threads):
        yield _uninterruptible(process)


def _first_thread_gone(process: Process) -> Finding:
    return finding(
        "first-thread-gone",
        "Its first thread has exited and other threads run, so it looks like a zombie "
        "but is alive.",
        f"State: Z, Threads: {process.stat.threads}",
        do="Terminate it as any process: a signal reaches the other threads.",
    )


def _zombie(process: Process) -> Finding:
    code = exit_code(process)
    parent = process.stat.parent
    facts = ["State: Z", *([] if code is None else [str(ExitStatus(code))])]
    text, do = _reaper(parent)
    facts.append(f"parent: {name_of(parent)}")
    return finding("zombie", f"It is dead, but {text}", *facts, do=do)


def exit_code(zombie: Process) -> int | None:
    """Return the exit code of a zombie; None if this user may not see it."""
    status = zombie.stat.status
    if status == 0 and not zombie.may_trace():
        return None
    return -(status & 0x7F) if status & 0x7F else status >> 8


def _reaper(parent: int) -> tuple[str, str]:
    """Return which process has to reap a zombie, and what you can do."""
    if parent == os.getpid():
        return (
            "this process, its parent, has not reaped it.",
            "Call join(), wait() or poll() of its object; no signal helps.",
        )
    try:
        other = Process(parent)
    except GoneError:
        return "its parent has not reaped it.", "End its parent; no signal helps."
    if other.stat.state in "Tt":
        return (
            "its parent is stopped, so it cannot reap it.",
            f"Continue the parent: kill -CONT {parent}.",
        )
    return (
        "its parent has not reaped it.",
        f"Let the parent call wait(), or end pid {parent}; no signal helps.",
    )


def _stopped(process: Process) -> Finding:
    resume = f"Continue it (kill -CONT {process.pid}), or use kill() or stop()."
    stat = process.stat
    if stat.terminal and stat.foreground not in (-1, stat.group):
        return finding(
            "stopped-by-terminal",
            "It is stopped in the background of its terminal, by reading from it or by "
            "Ctrl-Z: SIGTERM stays pending until it is continued.",
            f"State: T, process group {stat.group}, "
            f"foreground process group {stat.foreground}",
            do=f"Enter fg in its shell; or {resume[0].lower()}{resume[1:]}",
            certain=False,
        )
    return finding(
        "stopped",
        "It is stopped by a signal (SIGSTOP): SIGTERM stays pending until it is "
        "continued.",
        "State: T",
        do=resume,
    )


def _traced(process: Process) -> Finding:
    tracer = int(process.status.get("TracerPid", "0"))
    state = "is stopped by" if process.stat.state == "t" else "runs under"
    return finding(
        "traced",
        f"It {state} a debugger or tracer, {count_of({tracer})}, which decides whether "
        "a signal reaches it.",
        f"State: {process.stat.state}, TracerPid: {tracer}",
        name_of(tracer),
        do="Quit the debugger, or use kill(): no debugger can hold back SIGKILL.",
    )


def _frozen(process: Process) -> Iterator[Finding]:
    for folder in cgroups(process):
        events = values_in(f"{folder}/cgroup.events")
        v1 = _text(f"{folder}/freezer.state").strip()
        if events.get("frozen") == "1" or v1 in ("FROZEN", "FREEZING"):
            fact = "frozen 1" if events.get("frozen") == "1" else v1
            yield finding(
                "frozen",
                "Its control group is frozen, as by `docker pause`: it runs no "
                "instruction until the group is thawed.",
                f"{fact} in {folder}",
                do="Thaw the group (docker unpause, systemctl thaw, or write to its "
                "cgroup.freeze); in cgroup v2 SIGKILL works anyway.",
            )


def _uninterruptible(process: Process) -> Finding:
    thread = next(thread for thread in process.threads if thread.state == "D")
    where = process.read(f"task/{thread.tid}/wchan").strip("0\n") or "unknown"
    facts = [f"thread {thread.tid}: State: D, wchan: {where}"]
    text = "It waits inside the kernel, where often not even SIGKILL can end it."
    do = "If this state lasts, find the disk, server or driver that does not answer."
    if thread.call:
        wait = decode(process, thread)
        facts.append(f"system call: {wait.call or thread.call[0]}")
        targets = map(process.target, wait.reads + wait.writes)
        facts.extend(f"file: {target}" for target in targets if target)
        if wait.call in _VFORKS:
            text = (
                "It waits until the child that it starts has called exec() or exited."
            )
            do = "Terminate it as usual. If this state lasts, diagnose the child."
    return finding("uninterruptible", text, *facts, do=do)


def signal_findings(process: Process) -> Iterator[Finding]:
    """Yield what the process does with the signals that ask it to stop."""
    for name in _ASKING:
        yield from _one_signal(process, name)
    yield from _first_process(process)
    yield from _not_yours(process)


def _one_signal(process: Process, name: str) -> Iterator[Finding]:
    threads = process.threads
    bit = 1 << (getattr(signal, name) - 1)
    low = name.lower()
    page = "" if name == "SIGTERM" else "sigint-ignored"
    if process.mask("SigIgn") & bit:
        yield finding(
            f"{low}-ignored",
            f"{name} is ignored: {_ASKING[name]} does nothing.",
            f"SigIgn: {process.status['SigIgn']}",
            do=_KILL if name == "SIGTERM" else "Send SIGTERM instead, or use stop().",
            page=page,
        )
    blocked = [thread.tid for thread in threads if thread.blocked & bit]
    if blocked and len(blocked) == len(threads):
        yield finding(
            f"{low}-blocked",
            f"{name} is blocked in each thread: it stays pending until a thread "
            "unblocks it.",
            f"SigBlk: {process.status['SigBlk']}, threads: {len(threads)}",
            do=_KILL,
            page=page,
        )
    pending = process.mask("ShdPnd") & bit or any(
        thread.pending & bit for thread in threads
    )
    if pending:
        yield finding(
            f"{low}-pending",
            f"{name} was sent and is pending: the process has not received it yet.",
            f"ShdPnd: {process.status['ShdPnd']}, SigPnd: {process.status['SigPnd']}",
            do="Remove the cause that another finding names, or use kill() or stop().",
            page=page,
        )
    if name == "SIGTERM" and process.mask("SigCgt") & bit:
        yield _handled(process)


def _handled(process: Process) -> Finding:
    fact = f"SigCgt: {process.status['SigCgt']}"
    if process.threads and process.threads[0].state == "R":
        return finding(
            "handler-delayed",
            "SIGTERM has a handler, and the main thread is computing: Python runs "
            "the handler when the current call into C code has returned.",
            fact,
            "main thread: State: R",
            do=f"See its line with `py-spy dump --pid {process.pid}`. "
            "kill() and stop() do not depend on the handler.",
            certain=False,
        )
    return finding(
        "sigterm-handled",
        "SIGTERM has a handler: what terminate() does is up to the program.",
        fact,
        do="If it has not ended after SIGTERM, send it again: a signal just before a "
        "wait may be handled only after that wait. Or use stop().",
    )


def _first_process(process: Process) -> Iterator[Finding]:
    pids = process.status.get("NSpid", "").split()
    if pids[-1:] != ["1"]:
        return
    inside = len(pids) > 1
    yield finding(
        "pid-1",
        "It is process 1 of a container or system: signals without a handler are "
        "dropped" + (", and SIGKILL from inside as well." if inside else "."),
        f"NSpid: {' '.join(pids)}",
        do="Set a handler for SIGTERM, run it under an init (docker run --init), or "
        "use SIGKILL from outside.",
    )


def _not_yours(process: Process) -> Iterator[Finding]:
    real, _, saved, _ = (process.status.get("Uid", "") or "0 0 0 0").split()
    own = {str(os.getuid()), str(os.geteuid())}
    if own & {real, saved} or _may_kill():
        return
    yield finding(
        "not-yours",
        "It belongs to another user: a signal from you raises PermissionError.",
        f"Uid: {real}, yours: {os.geteuid()}",
        do=f"Use sudo, or log in as the user with the id {real}.",
    )


def _may_kill() -> bool:
    return bool(Process(os.getpid()).mask("CapEff") & (1 << _CAP_KILL))


def cgroups(process: Process) -> Iterator[str]:
    """Yield the folders of the control groups of a process that can be seen."""
    for line in process.read("cgroup").splitlines():
        _, kinds, path = line.split(":", 2)
        for root in _roots(kinds):
            if os.path.isdir(folder := root + path.rstrip("/")):  # noqa: PTH112
                yield folder


def _roots(kinds: str) -> tuple[str, ...]:
    if kinds:
        return tuple(f"/sys/fs/cgroup/{kind}" for kind in kinds.split(","))
    return ("/sys/fs/cgroup", "/sys/fs/cgroup/unified")


def _text(path: str) -> str:
    with suppress(OSError), open(path, encoding="utf-8") as file:  # noqa: PTH123
        return file.read()
    return ""


def values_in(path: str) -> dict[str, str]:
    """Return the words of a file that has a name and a value in each line."""
    return dict(line.split(" ", 1) for line in _text(path).splitlines() if " " in line)
