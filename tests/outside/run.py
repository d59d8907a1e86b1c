"""Run one recipe and print what its calls of the library did: `run.py NAME FOLDER PORT`.

It runs in an environment of its own, outside the project, so it imports the library
that is installed there. It prints the library's path and the calls as JSON.
"""

import json
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

import programs
import psutil

import process_terminate

calls: list[dict[str, Any]] = []


def main(name: str, folder: str, port: str) -> None:
    """Run a recipe, and note its calls of the library."""
    for function in (process_terminate.stop, process_terminate.stop_tree):
        setattr(programs, function.__name__, watched(function))
    setattr(programs, "no_orphans", watched_block)  # noqa: B010 - mypy asks for it
    settings = Path(folder, "nginx.conf")
    settings.write_text(settings.read_text("utf-8").replace("PORT", port), "utf-8")
    programs.RECIPES[name](Path(folder), int(port))
    print(json.dumps([process_terminate.__file__, calls]))  # noqa: T201


def watched(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of the library that notes what it found and did."""

    @wraps(function)
    def call(process: Any, *, grace: float) -> Any:
        found = named(process.pid)
        began = time.monotonic()
        answer = function(process, grace=grace)
        seconds = time.monotonic() - began
        if isinstance(answer, list):
            ended = [ending(e.name, e.signal, e.status.code) for e in answer]
        else:  # stop() reports no signal.
            killed = answer.code == -signal.SIGKILL
            sent = signal.SIGKILL if killed else signal.SIGTERM
            ended = [ending(found[0][1], sent, answer.code)]
        note(function.__name__, grace, seconds, found, ended)
        return answer

    return call


@contextmanager
def watched_block(grace: float) -> Iterator[None]:
    """Run a block of no_orphans() that notes what it found and did."""
    block = process_terminate.no_orphans(grace=grace)
    block.__enter__()
    try:
        yield
    finally:
        found = named()[1:]
        began = time.monotonic()
        block.__exit__(None, None, None)
        note("no_orphans", grace, time.monotonic() - began, found, [])


def ending(name: str, sent: signal.Signals | None, code: int | None) -> dict[str, Any]:
    """Return how a process ended: its last signal and its exit code."""
    return {"name": name, "by": sent.name if sent else None, "code": code}


def named(pid: int | None = None) -> list[tuple[psutil.Process, str]]:
    """Return a process and its descendants with their names."""
    root = psutil.Process(pid)
    return [(p, p.name()) for p in [root, *root.children(recursive=True)]]


def note(
    name: str,
    grace: float,
    seconds: float,
    found: list[tuple[psutil.Process, str]],
    ended: list[dict[str, Any]],
) -> None:
    """Note a call."""
    alive = [
        program
        for process, program in found
        if process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    ]
    calls.append(
        {
            "call": name,
            "grace": grace,
            "seconds": seconds,
            "found": [program for _, program in found],
            "alive": alive,
            "ended": ended,
        }
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
