"""The package that people install: small, typed, and complete."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from email import message_from_string
from email.message import Message
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.metadata import Metadata
from pytest_examples import find_examples
from test_checks import Copy, copy

from evidence import api
from evidence.examples import Example
from evidence.paths import ROOT

__all__ = ["copy"]  # The fixture.

REPOSITORY = "https://example.org/someone/process-terminate"

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


# What a type checker must see from outside: the types, and a wrong one.
TYPED = """
import subprocess
import process_terminate

status = process_terminate.stop(subprocess.Popen(["sleep", "60"]), grace=1)
reveal_type(status)
reveal_type(status.signal_name)
process_terminate.stop(subprocess.Popen(["true"]), grace="long")
"""


def read_metadata(wheel: Path) -> tuple[str, Message]:
    """What PyPI reads: as text, and as its headers with the description."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        text = archive.read(name).decode()
    return text, message_from_string(text)


def links(markdown: str) -> list[str]:
    """The addresses of the links."""
    return re.findall(r"\]\(([^)\s]+)\)", markdown)


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


@pytest.fixture(scope="session")
def python(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that has the wheel and psutil, and nothing else."""
    venv = tmp_path_factory.mktemp("outside") / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", venv)
    found = venv / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    copy_psutil(into=Path(run(found, "-c", SITE_PACKAGES).strip()))
    (wheel,) = dist.glob("*.whl")
    run(*pip_of(found), "install", "--no-index", wheel)
    return found


def pip_of(python: Path) -> list[str | Path]:
    """The pip that runs here, for another environment."""
    return [sys.executable, "-m", "pip", "--python", python]


def test_wheel_installs_and_imports_in_an_empty_environment(python: Path) -> None:
    """With psutil as its one dependency, and nothing of this project's tools."""
    assert run(python, "-I", "-c", TRIAL) == (
        "process 'Process-1' was not started; call start() first\n"
    )
    installed = run(*pip_of(python), "list", "--format=freeze").split()
    assert {line.split("==")[0] for line in installed} == {
        "process-terminate",
        "psutil",
    }


@pytest.mark.skipif(sys.platform == "win32", reason="the example is of POSIX")
def test_readme_runs_where_the_wheel_is_installed(python: Path, tmp_path: Path) -> None:
    """Its example, and one that uses the library, print what they say."""
    path = tmp_path / "readme.py"
    path.write_text(next(iter(find_examples(ROOT / "README.md"))).source)
    with_library = Example(ROOT / "examples" / "terminate" / "stop_a_worker.py")
    assert "process-terminate" in with_library.packages
    for example in (Example(path), with_library):
        assert run(python, "-I", example.path).splitlines() == example.output


def test_types_are_seen_from_outside(python: Path, tmp_path: Path) -> None:
    """`py.typed` is there: a wrong argument is an error in another project."""
    path = tmp_path / "outside.py"
    path.write_text(TYPED)
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary"]
    command += ["--cache-dir", str(tmp_path / "cache")]
    command += ["--python-executable", str(python), str(path)]
    done = subprocess.run(
        command, cwd=tmp_path, check=False, capture_output=True, text=True
    )
    lines = [line.partition("outside.py:")[2] for line in done.stdout.splitlines()]
    assert lines[:2] == [
        '6: note: Revealed type is "process_terminate._exit_status.ExitStatus"',
        '7: note: Revealed type is "str | None"',
    ], done.stdout
    assert lines[2].startswith(
        '8: error: Argument "grace" to "stop" has incompatible type'
    )
    assert len(lines) == 3


def test_metadata_is_complete(dist: Path) -> None:
    """What PyPI checks, and what a reader looks for."""
    (wheel,) = dist.glob("*.whl")
    text, headers = read_metadata(wheel)
    found = Metadata.from_email(text, validate=True)
    assert found.license_expression == "MIT"
    assert found.license_files == ["LICENSE"]
    assert found.description_content_type == "text/markdown"
    assert found.summary
    assert str(found.requires_python) == ">=3.11"
    assert "Typing :: Typed" in (found.classifiers or [])
    assert "# process-terminate" in headers.get_payload()


def test_long_description_has_no_link_that_leads_nowhere(dist: Path) -> None:
    """PyPI does not know where the repository is: the words are left, the link goes."""
    (wheel,) = dist.glob("*.whl")
    _, headers = read_metadata(wheel)
    description = str(headers.get_payload())
    assert "`src/process_terminate/`" in description
    assert [link for link in links(description) if "://" not in link] == []
    assert headers.get_all("Project-URL") is None


def test_long_description_leads_to_the_repository(copy: Copy) -> None:
    """Where its address is given, each link of the README leads there."""
    copy.environment["REPO_URL"] = REPOSITORY
    status, output = copy.run(sys.executable, "tools/dist.py")
    assert status == 0, output
    (wheel,) = copy.folder.glob("dist/*.whl")
    _, headers = read_metadata(wheel)
    readme = links((ROOT / "README.md").read_text("utf-8"))
    relative = [link for link in readme if "://" not in link]
    assert relative
    assert set(links(str(headers.get_payload()))) >= {
        f"{REPOSITORY}/blob/main/{link}" for link in relative
    }
    assert f"Source, {REPOSITORY}" in headers.get_all("Project-URL", [])


def test_builds_are_the_same_to_the_byte(dist: Path, copy: Copy) -> None:
    """In another folder, with other times and rights of the files."""
    for path in copy.folder.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
        if path.is_file():
            path.chmod(0o600)
    status, output = copy.run(sys.executable, "tools/dist.py")
    assert status == 0, output
    built = {path.name: path.read_bytes() for path in dist.iterdir()}
    again = {path.name: path.read_bytes() for path in copy.folder.glob("dist/*")}
    assert built == again


def test_wheel_of_the_sdist_is_the_same(dist: Path, tmp_path: Path) -> None:
    """What is built from it lacks nothing."""
    (sdist,) = dist.glob("*.tar.gz")
    with tarfile.open(sdist) as tar:
        # Before Python 3.11.4 there is no filter.
        tar.extraction_filter = getattr(tarfile, "data_filter", None)
        tar.extractall(tmp_path)  # noqa: S202
    (source,) = tmp_path.iterdir()
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel"]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (wheel,) = dist.glob("*.whl")
    assert (source / "dist" / wheel.name).read_bytes() == wheel.read_bytes()


def test_release_names_what_is_missing(copy: Copy) -> None:
    """A tag of another version, no section in the changelog, an older API."""
    copy.environment["TAG"] = "v9.0.0"
    copy.replace("tests/api.txt", "grace: float = 5.0", "grace: float = 6.0")
    status, output = copy.run(sys.executable, "tools/dist.py")
    assert status == 1
    assert output.splitlines() == [
        "dist: the tag v9.0.0 is not v0.1.0; see pyproject.toml",
        "dist: CHANGELOG.md has no section [0.1.0] with its date",
        "dist: tests/api.txt is not the API of 0.1.0; "
        "record it: python -m evidence api",
    ]


def test_release_that_is_ready_is_built(copy: Copy) -> None:
    """Its files are named with their hashes."""
    copy.environment["TAG"] = "v0.1.0"
    copy.replace("CHANGELOG.md", "[Unreleased]", "[0.1.0] - 2026-12-01")
    status, output = copy.run(sys.executable, "tools/dist.py")
    assert status == 0, output
    assert re.findall(r"(?m)^[0-9a-f]{64}  dist/(.+)$", output) == [
        "process_terminate-0.1.0-py3-none-any.whl",
        "process_terminate-0.1.0.tar.gz",
    ]


def test_break_of_the_api_is_in_the_changelog() -> None:
    """What was recorded can be called as it was, or the changelog says what cannot."""
    changelog = api.CHANGELOG.read_text("utf-8")
    untold = [b.explain() for b in api.breaks() if not api.told(b, changelog)]
    assert untold == [], "name it in CHANGELOG.md, [Unreleased], Changed or Removed"


def test_record_of_the_api_is_of_this_version() -> None:
    """A release records it: python -m evidence api."""
    assert api.version_of_record() == metadata.version("process-terminate")


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("stop", "stop(process: AnyProcess", "stop(target: AnyProcess"),
        (
            "stop_tree",
            "stop_tree(process: AnyProcess, *",
            "stop_tree(process: AnyProcess",
        ),
        ("terminate", "def terminate(", "def finish("),
        ("ExitStatus", "def shell_code(", "def code_of_shell("),
        ("ExitStatus", "def from_shell(cls, code", "def from_shell(cls, number"),
        (
            "no_orphans",
            "no_orphans(*, grace: float = 5.0",
            "no_orphans(*, grace: float = 9.0",
        ),
    ],
)
def test_break_is_seen_and_can_be_told(
    name: str, old: str, new: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A removed name, a renamed parameter, a changed default."""
    record = api.RECORD.read_text("utf-8")
    assert old in record
    monkeypatch.setattr(api, "RECORD", tmp_path / "api.txt")
    api.RECORD.write_text(record.replace(old, new))
    found = api.breaks()
    assert found
    head = "# Changelog\n\n## [Unreleased]\n\n"
    for breakage in found:
        assert not api.told(breakage, f"{head}### Added\n\n- `{name}()`\n")
        recorded = api.public_name(breakage)
        told = f"{head}### Removed\n\n- `{recorded}()` is another.\n\n## [0.1.0]\n"
        assert api.told(breakage, told)


def test_citation_is_of_this_version() -> None:
    """And has what its format asks for."""
    found = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= set(found)
    assert found["version"] == metadata.version("process-terminate")
