"""Find the exit code in what people paste: a number, a signal, a whole message."""

from __future__ import annotations

import re

from process_terminate._exit_codes.rows import ROWS, without_sign

#: The script of the decoder's page, docs/assets/decoder.js, has the same patterns.
_HEX = re.compile(r"\b0x[0-9a-f]+\b", re.IGNORECASE)
_NAME = re.compile(r"\bSIG[A-Z]+\d?\b")
#: "signal 9", "signal: 9", and "code=killed, status=9/KILL" of systemd.
_SIGNAL = re.compile(
    r"(?:\bsignal:?|\bcode=(?:killed|dumped), status=)\s*(\d{1,20})(?!\d)",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"(?:code|status|returned|exited|exit)(?: with)?[^\w-]{0,3}(-?\d{1,20})(?!\d)",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"(?<![\w+-])[-+]?\d{1,20}(?!\w)")
_MINUS = str.maketrans("\u2212\u2013", "--")  # As copied from prose.
#: The real-time signals have no names that are the same everywhere.
_BY_WORD = {word: row.codes[0] for row in ROWS for word in row.words}


def read(text: str) -> int | None:
    """Return the code that a text shows, -n for signal n; None if it shows none.

    A code of Windows has no sign.
    """
    code = _read(text.translate(_MINUS))
    return None if code is None else without_sign(code)


def _read(text: str) -> int | None:
    if found := _HEX.search(text):
        return int(found[0], 16)
    for found in _NAME.finditer(text):
        if found[0] in _BY_WORD:
            return _BY_WORD[found[0]]
    if found := _SIGNAL.search(text):
        return -int(found[1])
    if found := _CODE.search(text):
        return int(found[1])
    for word, code in _BY_WORD.items():
        # A word alone, such as "Killed", has a capital letter in messages.
        if word in text or (" " in word and word.lower() in text.lower()):
            return code
    numbers = _NUMBER.findall(text)
    return int(numbers[0]) if len(numbers) == 1 else None
