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
from process_terminate import Ended, ExitStatus

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
        ended = answer if isinstance(answer, list) else [alone(found, answer)]
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


def named(pid: int | None = None) -> list[tuple[psutil.Process, str]]:
    """Return a process and its descendants with their names."""
    root = psutil.Process(pid)
    return [(p, p.name()) for p in [root, *root.children(recursive=True)]]


def alone(found: list[tuple[psutil.Process, str]], status: ExitStatus) -> Ended:
    """Return the result of stop() in the form of stop_tree()."""
    by = "SIGKILL" if status.code == -signal.SIGKILL else "SIGTERM"
    process, name = found[0]
    return Ended(process.pid, name, by, status)


def note(
    name: str,
    grace: float,
    seconds: float,
    found: list[tuple[psutil.Process, str]],
    ended: list[Ended],
) -> None:
    """Note a call."""
    alive = [
        name
        for process, name in found
        if process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    ]
    calls.append(
        {
            "call": name,
            "grace": grace,
            "seconds": seconds,
            "found": [name for _, name in found],
            "alive": alive,
            "ended": [
                {"name": e.name, "by": e.by, "code": e.status.code} for e in ended
            ],
        }
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
