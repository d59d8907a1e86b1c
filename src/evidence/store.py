"""Read and write the measurements: typed JSON files that merge line by line."""

import json
from collections.abc import Set
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from evidence import UserError

T = TypeVar("T")


def read(path: Path, kind: type[T]) -> T:
    """Return the content of a JSON file.

    Raises:
        UserError: If it does not have the type.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except msgspec.DecodeError as error:
        raise UserError(f"{path} is not valid: {error}") from error


def write(path: Path, value: Any, *, depth: int) -> None:
    """Write a value as JSON, whole or not at all.

    Containers deeper than `depth` stand on one line each, so that a change of
    one measurement changes one line.
    """
    replace(path, _lines(msgspec.to_builtins(value, str_keys=True), depth, "") + "\n")


def replace(path: Path, text: str) -> None:
    """Write a text file, whole or not at all, so that a program can read meanwhile."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_text(text, "utf-8")
    unfinished.replace(path)


def forget(folder: Path, all_but: Set[str]) -> None:
    """Remove the files of all examples but these."""
    for path in folder.glob("*/*.json"):
        if path.relative_to(folder).with_suffix("").as_posix() not in all_but:
            path.unlink()


def _lines(value: Any, depth: int, indent: str) -> str:
    if not depth or not value or not isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    inner = indent + " "
    if isinstance(value, dict):
        items = [
            f"{json.dumps(name, ensure_ascii=False)}: {_lines(item, depth - 1, inner)}"
            for name, item in value.items()
        ]
        start, end = "{}"
    else:
        items = [_lines(item, depth - 1, inner) for item in value]
        start, end = "[]"
    joined = f",\n{inner}".join(items)
    return f"{start}\n{inner}{joined}\n{indent}{end}"
