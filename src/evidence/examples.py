"""The examples: what there is, and where each can run."""

import ast
import hashlib
import io
import multiprocessing
import platform
import re
import subprocess
import sys
import tokenize
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.metadata import metadata
from pathlib import Path
from typing import Any

from packaging.specifiers import SpecifierSet

from evidence.paths import EXAMPLES

START_METHODS = ("fork", "spawn", "forkserver")
#: What an example is written for, where its header names no platforms.
PLATFORMS = ("linux", "darwin")

#: What is the same in every start method; all else in multiprocessing asks for it.
_ASKS_NO_METHOD = {
    "Pipe",
    "active_children",
    "connection",
    "current_process",
    "get_context",
    "parent_process",
}

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
        return self.path.relative_to(EXAMPLES).with_suffix("").as_posix()

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
    def needs(self) -> list[str]:
        """The rights that it needs, each a key of `NEEDS`."""
        settings = self.header.get("tool", {}).get("evidence", {})
        return list(settings.get("needs", []))

    @cached_property
    def hash(self) -> str:
        """The SHA-256 of what runs: the source without comments and docstrings.

        The `#>` lines and the header count, because a run is compared with the one
        and needs the other. It is the same on each Python that computes it.
        """
        return hashlib.sha256(what_runs(self.source).encode()).hexdigest()

    @property
    def follows_the_default(self) -> bool:
        """Whether it runs under the start method that is set for it.

        Others name one for all their processes, or start none by multiprocessing.
        """
        return _asks_for_method(self.source)

    @property
    def why_not_here(self) -> str | None:
        """Why it cannot run on this Python and platform; None if it can."""
        return (
            self.why_not_on(sys.platform, platform.python_version())
            or self.why_not_allowed
        )

    def why_not_on(self, system: str, version: str) -> str | None:
        """Why it cannot run on a `sys.platform` and Python; None if it can."""
        if system not in self.platforms:
            return f"runs on {', '.join(self.platforms)}, not on {system}"
        needed = self._python
        if not needed.contains(version, prereleases=True):
            return f"needs Python {needed}, not {version}"
        return None

    @property
    def why_not_allowed(self) -> str | None:
        """Why this user may not run it on this system; None if it may."""
        return next((reason for need in self.needs if (reason := NEEDS[need]())), None)

    @cached_property
    def _python(self) -> SpecifierSet:
        """The Pythons that it can run on, as far as it and this library say."""
        needed = SpecifierSet(self.header.get("requires-python", ""))
        if "process-terminate" in self.packages:
            needed &= SpecifierSet(metadata("process-terminate")["Requires-Python"])
        return needed

    @property
    def packages(self) -> list[str]:
        """The packages that it needs, by their names on PyPI."""
        return [str(name) for name in self.header.get("dependencies", [])]


def what_runs(source: str) -> str:
    """Return a program without what a reader sees and Python does not run."""
    lines = source.splitlines()
    header = _HEADER.search(source)
    kept = header[0].splitlines() if header else []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        is_kept = token.string.startswith("#>") or token.string in kept
        if token.type == tokenize.COMMENT and not is_kept:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    for node in ast.walk(ast.parse(source)):
        if _has_docstring(node):
            docstring = node.body[0]  # type: ignore[attr-defined]
            for row in range(docstring.lineno - 1, docstring.end_lineno):
                lines[row] = ""
    return "\n".join(line.rstrip() for line in lines if line.strip())


def _has_docstring(node: ast.AST) -> bool:
    documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    return isinstance(node, documented) and ast.get_docstring(node) is not None


@cache
def _why_no_pid_namespace() -> str | None:
    """Try to make one, as root may on Linux, though not in most containers."""
    code = "import ctypes, sys; sys.exit(ctypes.CDLL(None).unshare(0x20000000) != 0)"
    command = [sys.executable, "-c", code]
    refused = subprocess.run(command, check=False, capture_output=True).returncode
    return "needs a new PID namespace: Linux, and root" if refused else None


#: What an example may need of a system, by the words in `[tool.evidence] needs`.
NEEDS = {"pid namespace": _why_no_pid_namespace}


@cache
def _asks_for_method(source: str) -> bool:
    """Whether a program imports what depends on the default start method."""
    return any(map(_brings_method, ast.walk(ast.parse(source))))


def _brings_method(node: ast.AST) -> bool:
    """Whether a node is an import of what depends on it."""
    match node:
        case ast.ImportFrom(module="multiprocessing"):
            return any(alias.name not in _ASKS_NO_METHOD for alias in node.names)
        case ast.ImportFrom(module="concurrent.futures"):
            return any(alias.name == "ProcessPoolExecutor" for alias in node.names)
        case ast.Import():
            names = {alias.name for alias in node.names}
            return bool(names & {"multiprocessing", "concurrent.futures"})
    return False


def find() -> list[Example]:
    """Every example, in the order of their names."""
    return sorted(map(Example, EXAMPLES.glob("*/*.py")))


def start_methods() -> Iterator[str]:
    """The start methods of this platform."""
    available = multiprocessing.get_all_start_methods()
    return (method for method in START_METHODS if method in available)
