"""`exit-code`: say what an exit code means."""

from __future__ import annotations

import json
from dataclasses import asdict

from process_terminate._command import statuses
from process_terminate._command.statuses import CommandError, show
from process_terminate._exit_codes.meanings import meanings
from process_terminate._exit_codes.pasted import read
from process_terminate._exit_codes.rows import Row


def explain(text: str, *, as_json: bool) -> int:
    """Print each meaning of the exit code in a text; return the exit status."""
    code = read(text)
    found = [] if code is None else meanings(code)
    if not found:
        raise CommandError(
            f"exit-code: no exit code in {text!r}; try 137, -9, SIGKILL, 0xC0000005, "
            'or a message such as "exit code 137"',
            statuses.USAGE,
        )
    if as_json:
        show(json.dumps([_as_dict(row) for row in found], indent=2))
    else:
        show("\n".join(line for row in found for line in _lines(row)))
    return statuses.DONE


def _as_dict(row: Row) -> dict[str, object]:
    found = asdict(row)
    del found["words"]  # What a text says instead of the number.
    return found


def _lines(row: Row) -> list[str]:
    """Return the lines for one meaning."""
    numbers = " in Python, ".join(map(_shown, row.codes))
    if len(row.codes) > 1:
        numbers += " in a shell, Docker and Kubernetes"
    lines = [f"{numbers}: {row.meaning}"]
    more = {"From": row.sender, "Look at": row.look, "Source": row.source}
    return lines + [f"  {name}: {text}" for name, text in more.items() if text]


def _shown(code: int) -> str:
    return f"{code:#x}" if code > 0xFFFF else str(code)
