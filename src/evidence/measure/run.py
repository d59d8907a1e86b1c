"""Run an example as a reader does: as a file, with an interpreter."""

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from evidence.measure import leftovers

#: Seconds that a run may take, even on a busy machine.
DEADLINE = 60.0

# Runs a file as `python FILE` does, with another default start method.
_LAUNCHER = """
import multiprocessing, runpy, sys
method, path = sys.argv[1:]
multiprocessing.set_start_method(method)
sys.argv[:] = [path]
runpy.run_path(path, run_name="__main__")
"""


@dataclass(frozen=True)
class Run:
    """What a run printed, how it exited, and what it left running."""

    output: list[str]
    errors: str
    status: int | None
    """The exit status; None if the run was killed at its deadline."""
    leftovers: list[str]


def run_file(
    path: Path,
    *,
    python: str = sys.executable,
    start_method: str | None = None,
    deadline: float = DEADLINE,
    packages: str | None = None,
) -> Run:
    """Run a file with this start method, or with the interpreter's default.

    `packages` is the search path on which another interpreter finds its packages.
    """
    command = command_of(path, python=python, start_method=start_method)
    # Files, because a process that is left running would keep a pipe open.
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        with leftovers.ended() as left:
            status = _status(
                command,
                environment(packages),
                (stdout.fileno(), stderr.fileno()),
                deadline,
            )
        stdout.seek(0)
        stderr.seek(0)
        return Run(
            output=stdout.read().decode().splitlines(),
            errors=stderr.read().decode(),
            status=status,
            leftovers=left,
        )


def command_of(
    path: Path, *, python: str = sys.executable, start_method: str | None = None
) -> list[str]:
    """Return the command for a file with this start method, or with the default."""
    command = [python, str(path)]
    if start_method is not None:
        command[1:1] = ["-c", _LAUNCHER, start_method]
    return command


def _status(
    command: list[str],
    environment: dict[str, str],
    files: tuple[int, int],
    deadline: float,
) -> int | None:
    """Run a command; return its exit status, or None if the deadline killed it."""
    try:
        return subprocess.run(
            command,
            check=False,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=files[0],
            stderr=files[1],
            timeout=deadline,
        ).returncode
    except subprocess.TimeoutExpired:
        return None


def environment(packages: str | None = None) -> dict[str, str]:
    """Return the environment without variables that change how Python runs.

    With PYTHONUNBUFFERED, for example, a terminated process would lose no output.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if name == "PYTHONPATH" or not name.startswith("PYTHON")
    }
    return kept if packages is None else kept | {"PYTHONPATH": packages}
