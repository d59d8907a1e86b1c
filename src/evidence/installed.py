"""A virtual environment with the library as a user installs it."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from evidence import UserError
from evidence.paths import ROOT
from evidence.publish import package

#: What the programs of the environment need beside the library.
_WANTED = ROOT / "tests" / "outside" / "requirements.txt"
#: Seconds that a step may take, such as an installation over a slow network.
_DEADLINE = 600
#: Where Debian keeps servers; PATH of a user may lack it.
_SYSTEM = os.pathsep.join(["/usr/sbin", "/sbin"])


class UnavailableError(UserError):
    """Raised if something cannot run here; says why."""


@contextmanager
def environment() -> Iterator[Path]:
    """Make a virtual environment with the library's wheel; yield its Python."""
    with tempfile.TemporaryDirectory(prefix="outside-") as name:
        folder = Path(name)
        package.build(folder)
        _must([sys.executable, "-m", "venv", "--without-pip", folder / "venv"])
        python = folder / "venv" / "bin" / "python"
        install(python, "-r", _WANTED, *folder.glob("*.whl"))
        yield python


def install(python: Path, *wanted: str | Path) -> None:
    """Let pip install into an environment."""
    _must([*pip(python), "install", "--quiet", *wanted])


def pip(python: Path) -> list[str | Path]:
    """Return the command of pip for an environment; .venv has no pip, but its base has."""
    base = sys._base_executable  # type: ignore[attr-defined]
    return [base, "-m", "pip", "--disable-pip-version-check", "--python", python]


def _must(command: Sequence[str | Path]) -> None:
    """Run a command; if it fails, raise with the last line that tells the error."""
    ended = run(command)
    if ended.returncode:
        lines = ended.stderr.strip().splitlines()
        errors = [
            line.strip() for line in lines if "Error:" in line or "ERROR:" in line
        ]
        raise UnavailableError([*lines[-1:], *errors][-1])


def run(
    command: Sequence[str | Path],
    folder: str | Path | None = None,
    **variables: str,
) -> subprocess.CompletedProcess[str]:
    """Run a command in the clean environment, to which `variables` are added."""
    return subprocess.run(
        command,
        cwd=folder,
        env=clean_environment() | variables,
        check=False,
        capture_output=True,
        text=True,
        timeout=_DEADLINE,
    )


def why_missing(commands: Sequence[str]) -> str | None:
    """Return which of these commands are not installed; None if all are."""
    path = clean_environment()["PATH"]
    missing = [name for name in commands if not shutil.which(name, path=path)]
    return f"not installed: {', '.join(missing)}" if missing else None


def clean_environment() -> dict[str, str]:
    """Return this environment without what leads Python to the project."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    return kept | {"PATH": os.pathsep.join([kept.get("PATH", ""), _SYSTEM])}
