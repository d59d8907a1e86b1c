"""What all studies record: when, where, and a hash of what was measured."""

import hashlib
import platform
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec import Struct

from evidence.examples import what_runs
from evidence.measure.interpreters import kernel
from evidence.paths import DATA

FOLDER = DATA / "studies"

#: Takes one line about the progress.
Report = Callable[[str], object]


class Study(Struct, kw_only=True):
    """The circumstances of a study; each study adds what it counts."""

    python: str
    kernel: str
    date: str
    """Day of the last run, YYYY-MM-DD."""


def circumstances() -> dict[str, Any]:
    """Return the fields of `Study` as they are here and today."""
    return {
        "python": platform.python_version(),
        "kernel": kernel(),
        "date": datetime.now(UTC).date().isoformat(),
    }


def hash_of(paths: Iterable[Path]) -> str:
    """Return a SHA-256 of files; in Python files only of what runs.

    A reworded comment or docstring gives the same hash, so the runs stay valid.
    """
    sha = hashlib.sha256()
    for path in paths:
        text = path.read_text("utf-8")
        sha.update((what_runs(text) if path.suffix == ".py" else text).encode())
    return sha.hexdigest()
