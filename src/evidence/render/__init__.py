"""Render the examples and the data into `.build/`, where pages find what they embed."""

from pathlib import Path

from evidence import store
from evidence.paths import BUILD
from evidence.render import (
    command,
    decoder,
    lists,
    platforms,
    studies,
    tables,
    timelines,
)

#: Each has `files()`, which returns a text for each path in the folder.
_PARTS = (lists, tables, decoder, command, timelines, studies, platforms)


def render(folder: Path = BUILD) -> None:
    """Write the rendered files that changed, and remove those that are gone."""
    files = (part.files() for part in _PARTS)
    wanted = {folder / path: text for found in files for path, text in found.items()}
    for path in folder.rglob("*"):
        if path.is_file() and path not in wanted:
            path.unlink()
    for path, text in wanted.items():
        if not path.is_file() or path.read_text("utf-8") != text:
            store.replace(path, text)
