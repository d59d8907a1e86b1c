"""Render the help of the command `process-terminate`, its statuses, and its sessions."""

import os
import subprocess
import sys

from evidence.render.command import runners
from evidence.studies import command
from evidence.studies.command import Session
from evidence.template import table
from process_terminate._command.statuses import RUN_STATUSES, STATUSES

_SUBCOMMANDS = ("", "diagnose", "stop", "run", "exit-code")
#: The help is as wide as a terminal.
_COLUMNS = "80"


def files() -> dict[str, str]:
    """Return what the page of the command embeds."""
    data = command.load()
    sessions = data.sessions
    return {
        **runners.files(),
        **{f"command/help/{name or 'all'}.txt": _help(name) for name in _SUBCOMMANDS},
        "command/statuses.md": _statuses(STATUSES),
        "command/run_statuses.md": _statuses(RUN_STATUSES),
        "command/errors.md": _errors([sessions[name] for name in command.ERRORS]),
        **{f"command/{name}.txt": _session(one) for name, one in sessions.items()},
        "command/measured.md": f"Recorded on {data.date} with CPython {data.python} "
        f"on {data.kernel}.\n",
    }


def _help(subcommand: str) -> str:
    """Return what --help prints."""
    words = [subcommand] if subcommand else []
    return subprocess.run(
        [sys.executable, "-m", "process_terminate", *words, "--help"],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": _COLUMNS, "NO_COLOR": "1"},
        timeout=60,
    ).stdout


def _session(session: Session) -> str:
    """Return a session as a terminal shows it."""
    return "".join(f"{line}\n" for line in [f"$ {session.command}", *session.output])


def _statuses(statuses: dict[int, str] | dict[str, str]) -> str:
    rows = [[str(status), meaning] for status, meaning in statuses.items()]
    return table(["Exit status", "Meaning"], rows) + "\n"


def _errors(sessions: list[Session]) -> str:
    """Return a table of commands, what each printed, and its exit status."""
    rows = [
        [f"`{one.command}`", f"`{' '.join(one.output)}`", str(one.status)]
        for one in sessions
    ]
    return table(["Command", "What it prints", "Exit status"], rows) + "\n"
