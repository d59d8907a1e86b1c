"""Runs one recipe and says in JSON what it took: `run.py NAME FOLDER PORT`.

It runs in an environment of its own, outside the project: what it imports is the
library that was installed there.
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
from process_terminate import ExitStatus, StoppedProcess

calls: list[dict[str, Any]] = []


def main(name: str, folder: str, port: str) -> None:
    """Run it, with the calls of the library watched."""
    for function in (process_terminate.stop, process_terminate.stop_tree):
        setattr(programs, function.__name__, watched(function))
    setattr(programs, "no_orphans", watched_block)  # noqa: B010, as mypy asks for it
    settings = Path(folder, "nginx.conf")
    settings.write_text(settings.read_text("utf-8").replace("PORT", port), "utf-8")
    programs.RECIPES[name](Path(folder), int(port))
    print(json.dumps({"library": process_terminate.__file__, "calls": calls}))  # noqa: T201


def watched(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of the library that notes what it found and did."""

    @wraps(function)
    def call(process: Any, *, grace: float) -> Any:
        found = [psutil.Process(process.pid), *descendants(process.pid)]
        began = time.monotonic()
        answer = function(process, grace=grace)
        seconds = time.monotonic() - began
        ended = answer if isinstance(answer, list) else [_alone(found[0], answer)]
        note(function.__name__, grace, seconds, found, ended)
        return answer

    return call


@contextmanager
def watched_block(grace: float) -> Iterator[None]:
    """A block of no_orphans() that notes what it found and did."""
    block = process_terminate.no_orphans(grace=grace)
    block.__enter__()
    try:
        yield
    finally:
        found = descendants(None)
        began = time.monotonic()
        block.__exit__(None, None, None)
        note("no_orphans", grace, time.monotonic() - began, found, [])


def _alone(process: psutil.Process, status: ExitStatus) -> StoppedProcess:
    """What stop() says, in the form of stop_tree()."""
    killed = status.code == -signal.SIGKILL
    last = signal.SIGKILL if killed else signal.SIGTERM
    return StoppedProcess(process.pid, NAMES[process], last, status)


NAMES: dict[psutil.Process, str] = {}


def descendants(pid: int | None) -> list[psutil.Process]:
    """The descendants of a process; their names are remembered."""
    root = psutil.Process(pid)
    found = root.children(recursive=True)
    NAMES.update({process: process.name() for process in [root, *found]})
    return found


def note(
    name: str,
    grace: float,
    seconds: float,
    found: list[psutil.Process],
    ended: list[StoppedProcess],
) -> None:
    """Write down a call."""
    calls.append(
        {
            "call": name,
            "grace": grace,
            "seconds": seconds,
            "found": [NAMES[process] for process in found],
            "alive": [
                NAMES[process]
                for process in found
                if process.is_running() and process.status() != psutil.STATUS_ZOMBIE
            ],
            "ended": [
                {
                    "name": e.name,
                    "by": e.signal.name if e.signal else "nothing",
                    "code": e.status.code,
                }
                for e in ended
            ],
        }
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
