"""The package that people install: small, typed, and complete."""

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from evidence.examples import ROOT

# What the wheel's user would do first, with the library and psutil alone.
TRIAL = """
import multiprocessing, process_terminate, psutil
worker = multiprocessing.Process()
try:
    process_terminate.terminate(worker)
except ValueError as error:
    print(error)
"""

SITE_PACKAGES = "import sysconfig; print(sysconfig.get_path('platlib'))"


def copy_psutil(into: Path) -> None:
    """Install psutil from where it is installed here: needs no network."""
    for file in metadata.files("psutil") or []:
        target = into / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file.locate(), target)


def run(*command: str | Path) -> str:
    """Run a command outside the project; its output, or a failure with it."""
    done = subprocess.run(
        command,
        cwd=tempfile.gettempdir(),
        env={k: v for k, v in os.environ.items() if not k.startswith("PYTHON")},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist and the wheel, built as for a release."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return folder


def test_wheel_holds_the_library_and_nothing_else(dist: Path) -> None:
    """No evidence, no tests, no tools; typed, and with its licence."""
    (wheel,) = dist.glob("*.whl")
    names = {Path(name) for name in zipfile.ZipFile(wheel).namelist()}
    package = {name for name in names if name.parts[0] == "process_terminate"}
    source = ROOT / "src"
    files = (source / "process_terminate").rglob("*")
    assert package == {
        file.relative_to(source) for file in files if "__pycache__" not in file.parts
    }
    rest = names - package
    assert all(name.parts[0].endswith(".dist-info") for name in rest)
    assert "LICENSE" in {name.name for name in rest}


def test_sdist_holds_what_the_wheel_is_built_from(dist: Path) -> None:
    """Source, README and licence."""
    (sdist,) = dist.glob("*.tar.gz")
    with tarfile.open(sdist) as tar:
        names = {"/".join(name.split("/")[1:]) for name in tar.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE"} < names
    assert "src/process_terminate/py.typed" in names


def test_wheel_installs_and_imports_in_an_empty_environment(
    dist: Path, tmp_path: Path
) -> None:
    """With psutil as its one dependency, and nothing of this project's tools."""
    venv = tmp_path / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", venv)
    python = venv / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    pip: list[str | Path] = [sys.executable, "-m", "pip", "--python", python]
    copy_psutil(into=Path(run(python, "-c", SITE_PACKAGES).strip()))
    (wheel,) = dist.glob("*.whl")
    run(*pip, "install", "--no-index", wheel)
    assert run(python, "-I", "-c", TRIAL) == (
        "'Process-1' was not started: call start() first\n"
    )
    installed = run(*pip, "list", "--format=freeze").split()
    assert {line.split("==")[0] for line in installed} == {
        "process-terminate",
        "psutil",
    }
