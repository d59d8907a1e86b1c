"""The interpreters that examples are measured on."""

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

from packaging.version import Version

import process_terminate
from evidence.examples import START_METHODS, Example

#: psutil, and pytest with all that it imports.
_DISTRIBUTIONS = ["psutil", "pytest", "iniconfig", "packaging", "pluggy", "pygments"]
#: What a distribution has beside its modules: commands, and compiled modules.
_NOT_IMPORTED = {"..", "__pycache__"}
#: Seconds in which an interpreter must say what it is.
_PATIENCE = 30
_SAY = """
import importlib, json, multiprocessing, platform, sys
missing = {}
for package in "psutil", "process-terminate", "pytest":
    try:
        importlib.import_module(package.replace("-", "_"))
    except Exception as error:
        message = str(error).splitlines()[0].split(" from ")[0]
        missing[package] = "%s: %s" % (type(error).__name__, message)
version = getattr(sys, "pypy_version_info", sys.version_info)
print(json.dumps({
    "implementation": platform.python_implementation(),
    "version": "%d.%d.%d" % tuple(version[:3]),
    "language": platform.python_version(),
    "platform": sys.platform,
    "start_methods": multiprocessing.get_all_start_methods(),
    "missing": missing,
}))
"""


class UnusableError(Exception):
    """Why an interpreter cannot be measured on."""


@dataclass(frozen=True)
class Interpreter:
    """A Python that can run examples."""

    executable: str
    implementation: str
    version: str
    """Its own version: PyPy's, where it is PyPy."""
    language: str
    """The version of the language that it speaks."""
    platform: str
    start_methods: list[str]
    """Its default comes first."""
    missing: dict[str, str]
    """The packages that it cannot import, with what it says."""
    anyway: bool = False
    """Whether it runs examples that are not written for its platform, too."""

    @property
    def key(self) -> str:
        """The name of its record: a newer patch of it takes the place of an older."""
        major_minor = ".".join(self.language.split(".")[:2])
        return f"{self.implementation.lower()}-{major_minor}-{self.platform}"

    def methods_for(self, example: Example) -> list[str]:
        """The start methods to measure an example under; `own` if it names its own."""
        if not example.follows_the_default:
            return ["own"]
        return [method for method in START_METHODS if method in self.start_methods]

    def why_not(self, example: Example) -> str | None:
        """Why it cannot run an example; None if it can."""
        system = example.platforms[0] if self.anyway else self.platform
        reason = example.why_not_on(system, self.language) or example.why_not_allowed
        if reason is None:
            for package in example.packages:
                if package in self.missing:
                    return f"{package} does not work there ({self.missing[package]})"
        return reason


def ask(executable: str, packages: Path) -> Interpreter:
    """Let an interpreter say what it is; UnusableError if it cannot."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    try:
        answer = subprocess.run(
            [executable, "-c", _SAY],
            check=True,
            capture_output=True,
            env=environment | {"PYTHONPATH": str(packages)},
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=_PATIENCE,
        )
        return Interpreter(executable, **json.loads(answer.stdout))
    except subprocess.CalledProcessError as error:
        lines = error.stderr.strip().splitlines() or [f"exit status {error.returncode}"]
        raise UnusableError(lines[-1]) from None
    except (OSError, ValueError, TypeError, subprocess.TimeoutExpired) as error:
        raise UnusableError(str(error)) from None


def at_hand() -> list[str]:
    """The interpreters on PATH, and the one that runs this."""
    names = [f"python3.{minor}" for minor in range(9, 30)] + ["pypy3"]
    found = [path for name in names if (path := shutil.which(name))]
    return [sys.executable, *found]


@contextmanager
def packages() -> Iterator[Path]:
    """A folder with what examples need, as any CPython can import it."""
    with tempfile.TemporaryDirectory(prefix="evidence-") as name:
        folder = Path(name)
        library = Path(process_terminate.__file__).parent
        (folder / library.name).symlink_to(library)
        for found in map(distribution, _DISTRIBUTIONS):
            for part in {file.parts[0] for file in found.files or []} - _NOT_IMPORTED:
                (folder / part).symlink_to(Path(str(found.locate_file(part))))
        yield folder


def order(key: str) -> tuple[bool, Version]:
    """CPython by version, then the others."""
    implementation, version, _ = key.split("-")
    return implementation != "cpython", Version(version)


def kernel() -> str:
    """The kernel, without the name of its build."""
    return f"{platform.system()} {platform.release().split('-')[0]}"
