"""The examples: what each prints and needs, and where it can run."""

import ast
import hashlib
import io
import os
import platform
import re
import subprocess
import sys
import tempfile
import tokenize
import tomllib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.metadata import metadata
from pathlib import Path
from typing import Any

from packaging.specifiers import SpecifierSet

from evidence import UserError
from evidence.paths import EXAMPLES

START_METHODS = ("fork", "spawn", "forkserver")
#: The platforms of an example whose header names none.
PLATFORMS = ("linux", "darwin")

#: Names in multiprocessing that do not depend on the start method; all others do.
_INDEPENDENT = {
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
    """A file in `examples/` that shows one fact by what it prints."""

    path: Path

    @property
    def name(self) -> str:
        """Its topic and name, as in `stop/stop_a_worker`: file, page and test."""
        return self.path.relative_to(EXAMPLES).with_suffix("").as_posix()

    @cached_property
    def source(self) -> str:
        """Its text."""
        return self.path.read_text("utf-8")

    @property
    def summary(self) -> str:
        """Its docstring: what it shows."""
        return ast.get_docstring(ast.parse(self.source)) or ""

    @property
    def output(self) -> list[str]:
        """The lines after `#>`: what it says it prints, in the order of the source."""
        return _OUTPUT.findall(self.source)

    @cached_property
    def header(self) -> dict[str, Any]:
        """Its PEP 723 header."""
        match = _HEADER.search(self.source)
        if match is None:
            return {}
        lines = match["content"].splitlines()
        return tomllib.loads("\n".join(line[2:] for line in lines))

    @property
    def platforms(self) -> tuple[str, ...]:
        """The values of `sys.platform` for which it is written."""
        settings = self.header.get("tool", {}).get("evidence", {})
        return tuple(settings.get("platforms", PLATFORMS))

    @property
    def needs(self) -> list[str]:
        """The rights that it needs: keys of `NEEDS`."""
        settings = self.header.get("tool", {}).get("evidence", {})
        return list(settings.get("needs", []))

    @cached_property
    def hash(self) -> str:
        """The SHA-256 of what runs: the source without comments and docstrings.

        The `#>` lines and the header count, because a run is compared with the one
        and needs the other. Every version of Python computes the same hash.
        """
        return hashlib.sha256(what_runs(self.source).encode()).hexdigest()

    @property
    def follows_the_default(self) -> bool:
        """Whether it runs under the start method that is set for it.

        Other examples name one for all their processes, or do not use multiprocessing.
        """
        return _depends_on_default(self.source)

    @property
    def why_not_here(self) -> str | None:
        """Why it cannot run on this Python and platform; None if it can."""
        return (
            self.why_not_on(sys.platform, platform.python_version())
            or self.why_not_allowed
        )

    def why_not_on(self, system: str, version: str) -> str | None:
        """Return why it cannot run on a `sys.platform` and Python; None if it can."""
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
        """The Pythons that its header, and this library if it needs it, allow."""
        needed = SpecifierSet(self.header.get("requires-python", ""))
        if "process-terminate" in self.packages:
            needed &= SpecifierSet(metadata("process-terminate")["Requires-Python"])
        return needed

    @property
    def packages(self) -> list[str]:
        """The names on PyPI of the packages that it needs."""
        return [str(name) for name in self.header.get("dependencies", [])]


@cache
def what_runs(source: str) -> str:
    """Return a program without its comments, docstrings and blank lines.

    The `#>` lines and the PEP 723 header stay.
    """
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
    """Try to make one: root can on Linux, though not in most containers."""
    code = "import ctypes, sys; sys.exit(ctypes.CDLL(None).unshare(0x20000000) != 0)"
    command = [sys.executable, "-c", code]
    refused = subprocess.run(
        command, check=False, capture_output=True, timeout=60
    ).returncode
    return "needs a new PID namespace: Linux, and root" if refused else None


@cache
def _why_no_cgroup() -> str | None:
    """Try to make a control group (cgroup v2): root can, not in most containers."""
    roots = [Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/unified")]
    found = [root for root in roots if (root / "cgroup.procs").exists()]
    writable = any(_can_make_a_folder(root) for root in found)
    return None if writable else "needs a new control group: Linux, and root"


@cache
def _why_no_memory_cgroup() -> str | None:
    """Try to make a control group that limits memory, of version 1 or 2."""
    version_1 = Path("/sys/fs/cgroup/memory")
    controls = Path("/sys/fs/cgroup/cgroup.subtree_control")
    version_2 = controls.exists() and "memory" in controls.read_text("utf-8")
    if _can_make_a_folder(version_1 if version_1.exists() else controls.parent):
        return None if version_1.exists() or version_2 else "needs a memory controller"
    return "needs a new control group with a limit: Linux, and root"


def _can_make_a_folder(parent: Path) -> bool:
    try:
        Path(tempfile.mkdtemp(dir=parent)).rmdir()
    except OSError:
        return False
    return True


def _why_not_root() -> str | None:
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    return None if is_root else "needs root"


#: The words in `[tool.evidence] needs`, and functions that return what is missing.
NEEDS: dict[str, Callable[[], str | None]] = {
    "cgroup": _why_no_cgroup,
    "memory cgroup": _why_no_memory_cgroup,
    "pid namespace": _why_no_pid_namespace,
    "root": _why_not_root,
}


@cache
def _depends_on_default(source: str) -> bool:
    """Whether a program imports a name that depends on the default start method."""
    return any(map(_imports_dependent_name, ast.walk(ast.parse(source))))


def _imports_dependent_name(node: ast.AST) -> bool:
    """Whether a node imports such a name."""
    match node:
        case ast.ImportFrom(module="multiprocessing"):
            return any(alias.name not in _INDEPENDENT for alias in node.names)
        case ast.ImportFrom(module="concurrent.futures"):
            return any(alias.name == "ProcessPoolExecutor" for alias in node.names)
        case ast.Import():
            names = {alias.name for alias in node.names}
            return bool(names & {"multiprocessing", "concurrent.futures"})
    return False


def find() -> list[Example]:
    """Return every example, sorted by name."""
    return sorted(map(Example, EXAMPLES.glob("*/*.py")))


def named(names: Collection[str]) -> list[Example]:
    """Return the examples with these names; all if there are no names.

    Raises:
        UserError: If no example has one of the names.
    """
    found = [example for example in find() if not names or example.name in names]
    if unknown := set(names) - {example.name for example in found}:
        raise UserError(
            f"no such example: {', '.join(sorted(unknown))}; "
            "expected TOPIC/NAME, as in examples/TOPIC/NAME.py"
        )
    return found
