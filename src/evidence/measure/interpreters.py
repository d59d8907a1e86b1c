"""Find the interpreters that examples are measured on."""

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

from packaging.version import Version

import process_terminate
from evidence import UserError
from evidence.examples import START_METHODS, Example
from evidence.measure.run import environment
from evidence.paths import EXAMPLES, PLATFORMS

#: psutil, and pytest with all that it imports.
_DISTRIBUTIONS = ["psutil", "pytest", "iniconfig", "packaging", "pluggy", "pygments"]
#: Files of a distribution that are not modules: commands, compiled code.
_NOT_IMPORTED = {"..", "__pycache__"}
#: Seconds in which an interpreter must describe itself: an emulated one starts first.
_PATIENCE = 180
_SAY = """
import importlib, json, multiprocessing, os, platform, sys
if not os.path.isdir(sys.argv[1]):  # An emulated machine has the files of one checkout.
    sys.exit("it does not see %s: set it up in this checkout" % sys.argv[1])
layer = os.environ.get("EVIDENCE_LAYER", "")  # The scripts in tools/platforms/ set it.
try:  # Only the ntdll of Wine has this function.
    import ctypes
    wine_version = ctypes.WinDLL("ntdll").wine_get_version
    wine_version.restype = ctypes.c_char_p
    layer = "Wine " + wine_version().decode()
except (ImportError, AttributeError):
    pass
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
    "layer": layer,
    "kernel": platform.release() if sys.platform == "linux" else "",
}))
"""


class UnusableError(UserError):
    """Raised if an interpreter does not work."""


@dataclass(frozen=True)
class Interpreter:
    """A Python that runs examples."""

    executable: str
    implementation: str
    version: str
    """Its own version; for PyPy that of PyPy."""
    language: str
    """The version of the language that it implements."""
    platform: str
    start_methods: list[str]
    """Its default comes first."""
    missing: dict[str, str]
    """The packages that it cannot import, each with the error."""
    layer: str = ""
    """What stands in for its platform, such as "Wine 10.0"; or another Linux than this
    machine's, such as "i386" or "arm64 on qemu-user 11.0"; otherwise empty."""
    kernel: str = ""
    """Where it is another one than this machine's: `platform.release()`."""
    anyway: bool = False
    """Whether it also runs examples that are not written for its platform."""

    @property
    def key(self) -> str:
        """Its name in the results, the same for all patch versions."""
        major_minor = ".".join(self.language.split(".")[:2])
        label = self.layer.partition(" on ")[0].lower().replace(" ", "")
        system = "wine" if label.startswith("wine") else label or self.platform
        return f"{self.implementation.lower()}-{major_minor}-{system}"

    def methods_for(self, example: Example) -> list[str]:
        """Return the start methods to measure an example under.

        It is "own" alone if the example names its method or does not use one.
        """
        if not example.follows_the_default:
            return ["own"]
        return [method for method in START_METHODS if method in self.start_methods]

    def why_not(self, example: Example) -> str | None:
        """Return why it cannot run an example; None if it can."""
        system = example.platforms[0] if self.anyway else self.platform
        reason = example.why_not_on(system, self.language) or example.why_not_allowed
        if reason is None:
            for package in example.packages:
                if package in self.missing:
                    return f"{package} does not work there ({self.missing[package]})"
        return reason


def search_path(executable: str, packages: Path) -> str:
    """Return where an interpreter finds packages: first those built for it alone.

    The scripts in tools/platforms/ build them.
    """
    own = PLATFORMS / Path(executable).name
    return os.pathsep.join(map(str, [own, packages] if own.is_dir() else [packages]))


def ask(executable: str, packages: Path) -> Interpreter:
    """Ask an interpreter for its version, start methods and missing packages.

    Raises:
        UnusableError: If it does not answer.
    """
    try:
        answer = subprocess.run(
            [executable, "-c", _SAY, str(EXAMPLES)],
            check=True,
            capture_output=True,
            env=environment(search_path(executable, packages)),
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


def available() -> list[str]:
    """Return the interpreter that runs this, and those on PATH."""
    names = [f"python3.{minor}" for minor in range(9, 30)] + ["pypy3"]
    found = [path for name in names if (path := shutil.which(name))]
    return [sys.executable, *found]


def usable(
    executables: Iterable[str], packages: Path, report: Callable[[str], object]
) -> list[Interpreter]:
    """Return the interpreters that work, each once; report why the others do not.

    Raises:
        UnusableError: If none of them works.
    """
    found: dict[str, Interpreter] = {}
    for executable in executables:
        try:
            interpreter = ask(executable, packages)
        except UnusableError as error:
            report(f"skipped {executable}: {error}")
        else:
            found.setdefault(interpreter.key, interpreter)
    if not found:
        raise UnusableError("none of these interpreters works; name one with --python")
    return list(found.values())


@contextmanager
def packages() -> Iterator[Path]:
    """Make a folder with the packages that examples need, for any interpreter."""
    with tempfile.TemporaryDirectory(prefix="evidence-") as name:
        folder = Path(name)
        library = Path(process_terminate.__file__).parent
        (folder / library.name).symlink_to(library)
        for found in map(distribution, _DISTRIBUTIONS):
            for part in {file.parts[0] for file in found.files or []} - _NOT_IMPORTED:
                (folder / part).symlink_to(Path(str(found.locate_file(part))))
        yield folder


def order(key: str) -> tuple[bool, Version]:
    """Return a key that sorts CPython by version before the others."""
    implementation, version, _ = key.split("-", 2)
    return implementation != "cpython", Version(version)


def kernel(release: str = "") -> str:
    """Return the name and version of a kernel, by default this one, without its build."""
    return f"{platform.system()} {(release or platform.release()).split('-')[0]}"
