"""Writes the page that decodes exit codes, from the table of `ExitStatus`."""

import signal
from collections.abc import Iterator
from html import escape
from typing import NamedTuple

from evidence.paths import ROOT
from process_terminate import ExitStatus
from process_terminate._exit_status import ORIGINS

PAGE = ROOT / "docs" / "decoder.md"
#: The example that shows a code where it is seen, where one does.
_SHOWN = {
    ("Python", 0): "terminate/read_exit_codes",
    ("Python", 1): "terminate/read_exit_codes",
    ("Python", -2): "claims/run_atexit_on_sigint",
    ("Python", -9): "terminate/escalate_to_kill",
    ("Python", -15): "terminate/terminate_a_worker",
    ("Python", 143): "terminate/clean_up_on_sigterm",
    ("Python", 241): "terminate/exit_with_minus_15",
    ("Python", 255): "terminate/kill_the_forkserver",
    ("shell", 143): "terminate/translate_exit_codes",
}


class Row(NamedTuple):
    """A number, where it is seen, and what it means there."""

    place: str
    code: int
    meaning: str
    proof: str | None


def rows() -> Iterator[Row]:
    """Every number that needs to be decoded; Python's first."""
    deaths = [-number for number in sorted(signal.valid_signals()) if number < 32]
    windows = {code for code in ORIGINS if code > 255}
    exits = sorted({0, 143, 241, *ORIGINS} - windows)
    for code in [*exits, *deaths]:
        yield _row_of("Python", code, ExitStatus(code))
    for code in [0, 1, 2, 126, 127, *(128 - death for death in deaths), 241, 255]:
        yield _row_of("shell", code, ExitStatus.from_shell(code))
    for code in sorted({15, *windows}):
        yield _row_of("Windows", code, ExitStatus(code))


def _row_of(place: str, code: int, status: ExitStatus) -> Row:
    return Row(place, code, str(status), _SHOWN.get((place, code)))


def render() -> str:
    """The page: complete as it is, and filtered by a small script."""
    return _TEMPLATE.format(rows="\n".join(map(_row, rows())))


def _row(row: Row) -> str:
    shown = f"{row.code:#x}" if row.code > 255 else str(row.code)
    proof = f'<a href="../examples/{row.proof}/">shown here</a>' if row.proof else ""
    return (
        f'<tr data-place="{row.place}" data-code="{row.code}">'
        f'<th scope="row">{shown}</th><td>{row.place}</td>'
        f"<td>{escape(row.meaning, quote=False)}</td><td>{proof}</td></tr>"
    )


_TEMPLATE = """\
---
title: Exit-code decoder
description: What -15, 143, 241, 255 or 0x10000 mean as the exit code of a Python process, in Python, in a shell and on Windows.
---

# What does exit code -15, 143 or 241 mean?

One death has several numbers: a process that `SIGTERM` ended is -15 for Python's `exitcode` and `returncode`, and 143 for a shell.
Where a number has more than one cause, all that are known are named.

<div id="decoder" class="decoder"></div>

<div class="measured" tabindex="0" role="region" aria-label="Exit codes">
<table>
<caption>The numbers of signals are those of Linux.</caption>
<thead><tr><th scope="col">Number</th><th scope="col">Seen in</th><th scope="col">Meaning</th><th scope="col">Example</th></tr></thead>
<tbody id="exit-codes">
{rows}
</tbody>
</table>
</div>

Any other number from 3 to 255 is what the program chose: it called `sys.exit()` with it, or returned it from `main()` in C.
`sys.exit()` keeps the lowest eight bits: 256 becomes 0, and -15 becomes 241.

In Python, [`ExitStatus`](reference/ExitStatus.md) says the same: `str(ExitStatus(process.exitcode))`, and `ExitStatus.from_shell(143)` for a shell's number.
The numbers of Windows are from [CPython's source](https://github.com/python/cpython/blob/3.14/Lib/multiprocessing/popen_spawn_win32.py), not run.

<script src="../assets/decoder.js" defer></script>
"""
