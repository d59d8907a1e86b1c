"""Render the table that decodes exit codes, in the words of `ExitStatus`."""

import signal
from collections.abc import Iterator
from typing import NamedTuple

from evidence import pages
from evidence.render.template import fill
from process_terminate import ExitStatus
from process_terminate._exit_status import ORIGINS

#: The example that prints a code where it is seen, if one does.
_SHOWN = {
    ("Python", 0): "exit_codes/read_exit_codes",
    ("Python", 1): "exit_codes/read_exit_codes",
    ("Python", -2): "signals/atexit_on_sigint",
    ("Python", -9): "stop/escalate_to_kill",
    ("Python", -15): "stop/terminate_a_worker",
    ("Python", 143): "signals/clean_up_on_sigterm",
    ("Python", 241): "exit_codes/exit_code_241",
    ("Python", 255): "exit_codes/forkserver_killed",
    ("shell", 143): "exit_codes/minus_15_or_143",
}


class Row(NamedTuple):
    """A number, where it is seen, and what it means there."""

    place: str
    code: int
    meaning: str
    example: str | None


def rows() -> Iterator[Row]:
    """Yield every number that needs to be decoded; Python's first."""
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


def files() -> dict[str, str]:
    """Return the rows of the table on the page of the decoder."""
    shown = pages.below("examples")
    titles = {page.example.name: page.title for page in shown if page.example}
    return {"decoder.html": fill("decoder.html", rows=list(rows()), titles=titles)}
