"""The examples: what there is, and where each can run."""

import multiprocessing
import platform
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples"
START_METHODS = ("fork", "spawn", "forkserver")
#: What an example is written for, where its header names no platforms.
PLATFORMS = ("linux", "darwin")

# The pattern that PEP 723 gives.
_HEADER = re.compile(
    r"(?m)^# /// script$\s(?P<content>(^#(| .*)$\s)+)^# ///$",
)
_OUTPUT = re.compile(r"(?m)^ *#> (.*)$")


@dataclass(frozen=True, order=True)
class Example:
    """A file in `examples/`: one fact, shown by what it prints."""

    path: Path

    @property
    def name(self) -> str:
        """Its topic and name, as in `queue/killed_in_get`: file, page and test."""
        return self.path.relative_to(FOLDER).with_suffix("").as_posix()

    @cached_property
    def source(self) -> str:
        """Its text."""
        return self.path.read_text("utf-8")

    @property
    def output(self) -> list[str]:
        """The lines that it says it prints, in the order of the source."""
        return _OUTPUT.findall(self.source)

    @cached_property
    def header(self) -> dict[str, Any]:
        """Its PEP 723 header: what it needs."""
        match = _HEADER.search(self.source)
        if match is None:
            return {}
        lines = match["content"].splitlines()
        return tomllib.loads("\n".join(line[2:] for line in lines))

    @property
    def platforms(self) -> tuple[str, ...]:
        """The values of `sys.platform` that it is written for."""
        settings = self.header.get("tool", {}).get("evidence", {})
        return tuple(settings.get("platforms", PLATFORMS))

    @property
    def why_not_here(self) -> str | None:
        """Why it cannot run on this Python and platform; None if it can."""
        if sys.platform not in self.platforms:
            return f"runs on {', '.join(self.platforms)}, not on {sys.platform}"
        needed = self.header.get("requires-python", "")
        if platform.python_version() not in SpecifierSet(needed, prereleases=True):
            return f"needs Python {needed}, not {platform.python_version()}"
        return None


def find() -> list[Example]:
    """Every example, in the order of their names."""
    return sorted(map(Example, FOLDER.glob("*/*.py")))


def start_methods() -> Iterator[str]:
    """The start methods of this platform."""
    available = multiprocessing.get_all_start_methods()
    return (method for method in START_METHODS if method in available)
