"""What processes are called in messages: their names may hold any bytes."""

import reprlib
from contextlib import suppress
from typing import Any

import psutil

#: Bytes that are no UTF-8 come as these characters, see PEP 383.
_FIRST_BYTE, _LAST_BYTE = 0xDC80, 0xDCFF


class _Repr(reprlib.Repr):
    """Shows builtin values, but of other objects only the class.

    The repr() of a command of the package `sh` waits until the command exits.
    """

    def __init__(self) -> None:
        super().__init__()
        self.maxother = self.maxstring = 100

    def repr_instance(self, x: Any, level: int) -> str:
        if type(x).__module__ == "builtins":
            return super().repr_instance(x, level)
        return object.__repr__(x)


_REPR = _Repr()


def printable(text: str) -> str:
    r"""Return a text with an escape, such as `\x1b`, for what is not printable.

    So a process cannot move the cursor of a terminal or forge a line of a log, and
    the text can be written in UTF-8. A backslash stays as it is, so that to do this
    twice is to do it once.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escape(c) for c in text)


def described(pid: int) -> str:
    """Return the pid, the name and the state of a process, for people."""
    with suppress(Exception):  # psutil may be gone, as this interpreter exits.
        process = psutil.Process(pid)
        return f"pid {pid} ({printable(process.name())}, {process.status()})"
    return f"pid {pid}"


def kind(value: object) -> str:
    """Return a value and its type, for messages; its repr() may be long, fail or wait."""
    return f"{_REPR.repr(value)} ({type(value).__module__}.{type(value).__qualname__})"


def process_name(process: Any) -> str:
    """Return the name of a multiprocessing process; raise if it was not initialized."""
    name: str | None = getattr(process, "name", None)
    if name is None:
        raise ValueError(
            f"process was not initialized: {kind(process)} did not call "
            "super().__init__()"
        )
    return name


def _escape(character: str) -> str:
    code = ord(character)
    if _FIRST_BYTE <= code <= _LAST_BYTE:
        return f"\\x{code - 0xDC00:02x}"
    return character.encode("unicode_escape").decode()
