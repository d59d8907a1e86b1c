"""Findings about what a process waits for."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

from process_terminate._diagnose import peers
from process_terminate._diagnose.calls import RESTARTED, Blocked, decode
from process_terminate._diagnose.findings import (
    MOST_NAMED,
    Finding,
    count_of,
    fact_of,
    finding,
    first_few,
    how_to_see,
    limit_of,
    name_of,
    span,
    who,
)
from process_terminate._diagnose.peers import File, Machine, files_of
from process_terminate._diagnose.reading import GoneError, Process, Thread
from process_terminate._diagnose.semaphores import semaphore_at, semaphore_findings
from process_terminate._exit_status import name_of as signal_name


def wait_findings(process: Process, machine: Machine) -> Iterator[Finding]:
    """Yield what the main thread waits for, and what others do if it waits for them."""
    threads = process.threads
    if not threads or threads[0].state in "ZX":
        return
    wait = decode(process, threads[0])
    if wait.kind == "running":
        yield _computing(process)
    elif wait.kind == "files":
        yield _files(process, wait, machine)
    elif wait.kind == "semaphore":
        yield from semaphore_findings(process, wait, machine)
    elif wait.kind == "thread":
        yield _thread(process, wait, machine)
    elif wait.kind == "child":
        yield _child(process, wait, machine)
    elif wait.kind == "time":
        yield _time(wait)
    elif wait.kind == "file lock":
        yield from _file_lock(process, wait)
    elif wait.kind == "named pipe":
        yield _named_pipe(wait)
    elif wait.kind == "signal":
        yield _signal(wait)
    elif wait.kind == "unknown" and threads[0].call:
        process.unknown_call = (
            "this kernel does not say which system call continues after a stop"
            if wait.call == RESTARTED
            else "diagnose() does not know the system call with the number "
            f"{threads[0].call[0]}"
        )


def _computing(process: Process) -> Finding:
    seconds = process.stat.ticks / os.sysconf("SC_CLK_TCK")
    return finding(
        "computing",
        "Its main thread is computing.",
        f"main thread: State: R, processor time: {span(seconds)}",
        do=how_to_see(process),
    )


def _files(process: Process, wait: Blocked, machine: Machine) -> Finding:
    files = files_of(process, wait, machine)
    facts = first_few(files, lambda file: fact_of(process, file)) + limit_of(wait)
    if len(files) != 1 or wait.call.startswith("epoll"):
        return _events(process, facts)
    (file,) = files
    if wait.writes:
        return _writing(process, file, facts)
    return _reading(process, file, facts)


def _reading(process: Process, file: File, facts: list[str]) -> Finding:
    if file.kind == "terminal":
        return finding(
            "waits-for-a-terminal",
            "It waits for input from a terminal.",
            *facts,
            do="Enter what it asks for, or start it with stdin=subprocess.DEVNULL.",
        )
    if file.kind == "listener":
        return finding(
            "waits-for-connections",
            "It is a server and waits for connections.",
            *facts,
            do="It is idle: terminate it as usual.",
        )
    if file.kind == "process":
        return finding(
            "waits-for-a-child",
            f"It waits for the end of {who(process, file.wakers)}.",
            *facts,
            do="Diagnose that process.",
        )
    if file.kind not in ("pipe", "socket"):
        return _events(process, facts)
    return finding(
        f"waits-for-a-{file.kind}",
        f"It waits to read a {file.kind} to which {who(process, file.wakers)} can "
        "write.",
        *facts,
        do="Diagnose each process that can write; when all have closed it or ended, "
        "the reader sees the end of the file."
        if file.wakers
        else "Find out why the other end sends nothing, and set a timeout.",
    )


def _events(process: Process, facts: list[str]) -> Finding:
    return finding(
        "waits-for-events",
        "It waits until one of its files is ready, as an event loop does.",
        *facts,
        do=how_to_see(process),
    )


def _writing(process: Process, file: File, facts: list[str]) -> Finding:
    return finding(
        "waits-to-write",
        f"It waits to write to a {file.kind} that is full: {who(process, file.wakers)} "
        "should read it.",
        *facts,
        do="Let the reader read (communicate(), get() before join()), or end it: "
        "then the writer gets SIGPIPE or BrokenPipeError.",
    )


def _thread(process: Process, wait: Blocked, machine: Machine) -> Finding:
    others = process.threads[1:]
    facts = [
        f"thread {thread.tid}: {brief(process, thread, machine)}"
        for thread in others[:MOST_NAMED]
    ]
    text = (
        f"Its main thread waits for another thread of this process ({len(others)} more "
        "run): for a lock, a queue, join(), or at exit for a thread that is no daemon."
        if others
        else "It waits for a lock, event or queue of threading, and has no other thread."
    )
    return finding(
        "waits-for-a-thread", text, *facts, *limit_of(wait), do=how_to_see(process)
    )


def brief(process: Process, thread: Thread, machine: Machine) -> str:
    """Return in a few words what a thread waits for."""
    wait = decode(process, thread)
    if wait.kind == "files":
        files = files_of(process, wait, machine)
        verb = "write" if wait.writes else "read"
        named = "; ".join(fact_of(process, file) for file in files[:2])
        return f"waits to {verb} {named}"
    if wait.kind == "child":
        return (
            f"waits for the end of {name_of(wait.child) if wait.child else 'a child'}"
        )
    if wait.kind == "semaphore":
        found = semaphore_at(process, wait.address)
        return f"waits for a semaphore, inode {found.inode if found else 'unknown'}"
    words = {
        "thread": "waits for another thread of its process",
        "time": "sleeps",
        "running": "runs",
        "file lock": "waits for a lock of a file",
        "named pipe": f"waits in open() of {wait.path}",
        "signal": "waits for a signal",
    }
    return words.get(wait.kind, f"waits in {wait.call}" if wait.call else "unknown")


def _child(process: Process, wait: Blocked, machine: Machine) -> Finding:
    if wait.child:
        text = f"It waits for the end of its child, pid {wait.child}."
        facts = [_doing(wait.child, machine)]
    else:
        children = machine.children(process.pid)
        text = f"It waits for the end of any of its {len(children)} children."
        facts = [_doing(pid, machine) for pid in children[:MOST_NAMED]]
    return finding(
        "waits-for-a-child",
        text,
        *facts,
        do=f"Diagnose the child: process-terminate diagnose {wait.child or 'PID'}.",
    )


def _doing(pid: int, machine: Machine) -> str:
    """Return a child, and what its first thread waits for or its state."""
    try:
        process = Process(pid)
    except GoneError:
        return f"{pid}: gone"
    threads, state = process.threads, process.stat.state
    doing = (
        brief(process, threads[0], machine)
        if threads and state in "SR"
        else f"state {state}"
    )
    return f"{name_of(pid)}: {doing}"


def _time(wait: Blocked) -> Finding:
    if wait.until is not None and wait.limit is not None:
        at = time.strftime("%H:%M:%S", time.localtime(wait.until))
        facts = f"{wait.call}: until {at}, for another {span(wait.limit)}"
    elif wait.limit:
        facts = f"{wait.call}: {span(wait.limit)} at most"
    else:
        facts = f"{wait.call}: until a time that cannot be read"
    return finding(
        "waits-for-time",
        "It sleeps until a time has come, as in time.sleep().",
        facts,
        do="It continues by itself. A signal without a handler ends it meanwhile.",
    )


def _signal(wait: Blocked) -> Finding:
    awaited = ", ".join(map(signal_name, wait.signals)) or "any that has a handler"
    return finding(
        "waits-for-a-signal",
        "It waits for a signal, as in signal.pause(), sigwait() or the wait of a shell.",
        f"{wait.call}: {awaited}",
        *limit_of(wait),
        do="Send it the signal, or stop it: process-terminate stop PID.",
    )


def _file_lock(process: Process, wait: Blocked) -> Iterator[Finding]:
    holders = peers.lock_holders(process.pid)
    if holders:
        yield finding(
            "waits-for-a-file-lock",
            f"It waits for a lock of a file that {count_of(holders)} holds.",
            f"{wait.call}: {process.target(wait.reads[0]) or 'unknown'}",
            *map(name_of, sorted(holders)),
            do="Diagnose the holder; the kernel frees the lock when it ends.",
        )


def _named_pipe(wait: Blocked) -> Finding:
    return finding(
        "waits-to-open",
        "It waits in open() of a named pipe until another process opens it for "
        f"{wait.missing}.",
        f"{wait.call}: {wait.path or 'unknown'}",
        do=f"Start the program that opens it for {wait.missing}, or find out why that "
        "one has not.",
    )
