"""All meanings of one code: rows of the table, and what follows from the number."""

from __future__ import annotations

from process_terminate._exit_codes.rows import ROWS, Row
from process_terminate._exit_codes.signals import (
    CORE,
    HARMLESS,
    HIGHEST,
    SHELL_BASE,
    SIGNALS,
)

_NUMBERS = range(1, HIGHEST + 1)
_KNOWN = {number: name for number, name, *_ in SIGNALS}
_WAIT = "https://man7.org/linux/man-pages/man2/wait.2.html"
_EXIT = "https://docs.python.org/3/library/sys.html#sys.exit"


def meanings(code: int) -> list[Row]:
    """Return what a code may mean, the likeliest first; nothing if it cannot be.

    The script of the decoder's page, docs/assets/decoder.js, says the same.
    """
    if not -HIGHEST <= code < 2**32:
        return []
    found = [row for row in ROWS if code in row.codes]
    return [*found, *_computed(code, bool(found))]


def _computed(code: int, is_known: bool) -> list[Row]:
    found = []
    number = -code if code < 0 else code - SHELL_BASE
    if number in _NUMBERS and number not in {*_KNOWN, *HARMLESS}:
        codes = (-number, SHELL_BASE + number)
        found.append(Row(codes, f"killed by signal {number}"))
    if -code in HARMLESS:
        found.append(Row((code,), f"no process: signal {number} does not kill"))
    if 0 < code <= 255 and (not is_known or number in _NUMBERS):
        found.append(_chosen(code))
    if code > 255 and not is_known:
        text = "on Windows the program, or the system, chose it"
        found.append(Row((code,), text, look="Microsoft's list of NTSTATUS values"))
    if status := _raw_wait_status(code):
        text = f"as the raw status of os.wait() or os.system(): {status}"
        look = f"os.waitstatus_to_exitcode({code})"
        found.append(Row((code,), text, look=look, source=_WAIT))
    return found


def _chosen(code: int) -> Row:
    """Return the row of a number that a program chose."""
    text = f"the program chose it: sys.exit({code})"
    if code > SHELL_BASE + HIGHEST:
        text += f" or sys.exit({code - 256})"
    elif code > SHELL_BASE:
        text += ", perhaps in a handler of the signal"
    return Row((code,), text, look="The documentation of the program", source=_EXIT)


def _raw_wait_status(code: int) -> str:
    """Return what wait(2) means by a number; "" if it means nothing."""
    if 0 < code <= 0xFF00 and code % 256 == 0:
        return f"exit code {code // 256}"
    number = code & 0x7F
    has_core = code == number | 0x80
    if number not in (CORE if has_core else _KNOWN) or code > 0xFF:
        return ""
    core = ", with a core file" if has_core else ""
    return f"killed by {_KNOWN[number]} ({number}){core}"
