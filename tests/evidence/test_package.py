"""The package that people install: complete, typed, and with psutil alone."""

import os
import re
import shutil
import sys
import tarfile
from importlib import metadata
from pathlib import Path
from zipfile import ZipFile

import pytest
import yaml
from packaging.metadata import Metadata
from pytest_examples import find_examples

from copies import Copy
from evidence import installed
from evidence.examples import Example
from evidence.paths import ROOT
from evidence.publish import module, package
from evidence.studies import programs

# All tests on one worker of pytest-xdist, which builds and installs once.
pytestmark = pytest.mark.xdist_group("package")

VERSION = metadata.version("process-terminate")
PLATLIB = "import sysconfig; print(sysconfig.get_path('platlib'))"
PROJECT_URLS = '[project.urls]\nSource = "https://example.org"\n\n[dependency-groups]'

#: The first mistake of a new user.
MISTAKE = """
import multiprocessing, process_terminate
try:
    process_terminate.terminate(multiprocessing.Process())
except ValueError as error:
    print(error)
"""
#: What a type checker must see from outside: two types, and a wrong argument.
TYPED = """
import subprocess
import process_terminate

status = process_terminate.stop(subprocess.Popen(["sleep", "60"]), grace=1)
reveal_type(status)
reveal_type(status.signal_name)
process_terminate.stop(subprocess.Popen(["true"]), grace="long")
"""


def run(*command: str | Path, cwd: Path | None = None, status: int = 0) -> str:
    """Run a command that does not see the sources of the project; return its output."""
    ended = installed.run(command, cwd)
    assert ended.returncode == status, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the wheel and the sdist."""
    folder = tmp_path_factory.mktemp("dist")
    package.build(folder)
    return folder


@pytest.fixture(scope="module")
def wheel(dist: Path) -> Path:
    """The wheel."""
    return next(dist.glob("*.whl"))


@pytest.fixture(scope="module")
def sdist(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the files of the sdist."""
    folder = tmp_path_factory.mktemp("sdist")
    with tarfile.open(next(dist.glob("*.tar.gz"))) as tar:
        # Python before 3.11.4 has no filters.
        tar.extraction_filter = getattr(tarfile, "data_filter", None)
        tar.extractall(folder)  # noqa: S202
    return next(folder.iterdir())


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that has the wheel and psutil, and nothing else."""
    venv = tmp_path_factory.mktemp("outside") / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", venv)
    found = venv / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    platlib = Path(run(found, "-c", PLATLIB).strip())
    for file in metadata.files("psutil") or []:  # Needs no network.
        (platlib / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file.locate(), platlib / file)
    try:
        run(*installed.pip(found), "install", "--no-index", wheel)
    except AssertionError as error:
        if "No module named pip" not in str(error):
            raise
        pytest.skip(
            "the Python of .venv has no pip; on Debian: apt install python3-pip"
        )
    return found


def names_in(folder: Path) -> set[str]:
    """Return the paths of the files in a folder of sources."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {p.relative_to(folder).as_posix() for p in files if p.suffix != ".pyc"}


def test_wheel_has_the_library_and_its_license_only(wheel: Path) -> None:
    names = set(ZipFile(wheel).namelist())
    info = f"process_terminate-{VERSION}.dist-info"
    library = names_in(ROOT / "src" / "process_terminate")
    assert "py.typed" in library
    assert names == {f"process_terminate/{name}" for name in library} | {
        f"{info}/{name}"
        for name in (
            *("METADATA", "RECORD", "WHEEL", "entry_points.txt"),
            "licenses/LICENSE",
        )
    }


def test_sdist_has_the_library_and_the_texts_only(sdist: Path) -> None:
    library = names_in(ROOT / "src" / "process_terminate")
    texts = {"CHANGELOG.md", "LICENSE", "README.md", "pyproject.toml"}
    made = {".gitignore", "PKG-INFO"}
    assert names_in(sdist) - made == texts | {
        f"src/process_terminate/{name}" for name in library
    }


def test_wheel_built_from_the_sdist_is_the_same(
    wheel: Path, sdist: Path, tmp_path: Path
) -> None:
    module.run("hatchling", "build", "-d", tmp_path, "-t", "wheel", folder=sdist)
    assert (tmp_path / wheel.name).read_bytes() == wheel.read_bytes()


def test_wheel_needs_psutil_alone(python: Path) -> None:
    listed = run(*installed.pip(python), "list", "--format=freeze").split()
    found = {line.partition("==")[0] for line in listed}
    assert found == {"process-terminate", "psutil"}
    assert run(python, "-I", "-c", MISTAKE) == (
        "process 'Process-1' was not started; call start() first\n"
    )


def test_installed_wheel_has_the_command(python: Path) -> None:
    command = python.with_name("process-terminate")
    assert run(command, "--help") == run(python, "-m", "process_terminate", "--help")
    assert run(command, "run", "--", "sh", "-c", "exit 7", status=7) == ""


@pytest.mark.skipif(sys.platform == "win32", reason="the examples are for POSIX")
def test_examples_run_with_the_installed_wheel(python: Path, tmp_path: Path) -> None:
    readme = tmp_path / "readme.py"
    readme.write_text(next(iter(find_examples(ROOT / "README.md"))).source)
    for path in (readme, ROOT / "examples" / "stop" / "stop_a_worker.py"):
        assert run(python, "-I", path).splitlines() == Example(path).output


def test_type_checker_sees_the_types_of_the_installed_wheel(
    python: Path, tmp_path: Path
) -> None:
    path = tmp_path / "outside.py"
    path.write_text(TYPED)
    pytest.importorskip("mypy", reason="mypy is not installed: tools/setup.py check")
    mypy = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary"]
    mypy += [f"--cache-dir={tmp_path / 'cache'}", f"--python-executable={python}"]
    said = run(*mypy, path, cwd=tmp_path, status=1)
    assert said.replace("outside.py:", "").splitlines() == [
        '6: note: Revealed type is "process_terminate._exit_status.ExitStatus"',
        '7: note: Revealed type is "str | None"',
        '8: error: Argument "grace" to "stop" has incompatible type "str"; '
        'expected "float"  [arg-type]',
    ]


def test_metadata_is_valid_and_complete(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        found = Metadata.from_email(archive.read(name), validate=True)
    assert (found.name, str(found.version)) == ("process-terminate", VERSION)
    assert found.summary
    assert (found.license_expression, found.license_files) == ("MIT", ["LICENSE"])
    assert str(found.requires_python) == ">=3.11"
    assert "Typing :: Typed" in (found.classifiers or [])
    assert found.description_content_type == "text/markdown"
    # PyPI shows it, where a relative link would lead nowhere.
    description = found.description or ""
    assert "CHANGELOG.md lists what has changed" in description
    links = re.findall(r"\]\(([^)\s]+)\)", description)
    assert [link for link in links if "://" not in link] == []


def test_dist_lists_what_a_release_lacks(dist: Path, copy: Copy) -> None:
    """It builds the same as here, whatever times and modes the files have."""
    for path in copy.folder.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
        if path.is_file():
            path.chmod(0o600)
    copy.environment["TAG"] = "v9.0.0"
    assert copy.run(sys.executable, "tools/dist.py") == (
        1,
        f"dist: the tag v9.0.0 is not v{VERSION}; see pyproject.toml\n"
        f"dist: CHANGELOG.md has no section [{VERSION}] with its date\n"
        "dist: pyproject.toml has no [project.urls]\n",
    )
    built = {path.name: path.read_bytes() for path in dist.iterdir()}
    assert built == {p.name: p.read_bytes() for p in copy.folder.glob("dist/*")}


def test_dist_prints_the_hashes_of_a_release_that_lacks_nothing(copy: Copy) -> None:
    copy.environment["TAG"] = f"v{VERSION}"
    copy.replace("CHANGELOG.md", "[Unreleased]", f"[{VERSION}] - 2026-12-01")
    copy.replace("pyproject.toml", "[dependency-groups]", PROJECT_URLS)
    status, output = copy.run(sys.executable, "tools/dist.py")
    assert status == 0, output
    assert re.findall(r"(?m)^[0-9a-f]{64}  dist/(.+)$", output) == [
        f"process_terminate-{VERSION}-py3-none-any.whl",
        f"process_terminate-{VERSION}.tar.gz",
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="finds what is left on Linux")
def test_recipe_stops_a_real_program_with_the_installed_wheel(python: Path) -> None:
    run = programs.run("executor", python)
    assert run.left == []
    (call,) = run.calls
    assert (call.call, len(call.found), call.alive) == ("stop_tree", 5, [])


def test_citation_is_of_this_version() -> None:
    found = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= set(found)
    assert found["version"] == VERSION
