"""The library's tests on other platforms are counted, and a failure has its name."""

import subprocess
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from evidence import UserError, elsewhere
from evidence.measure import interpreters
from evidence.measure.interpreters import Interpreter
from evidence.render import platforms

THERE = Interpreter("python", "CPython", "3.14.1", "3.14.1", "linux", [], {}, "i386")
SAID = """
FAILED tests/library/test_tree.py::test_tree[no /proc-1] - assert 1 == 2
==== 1 failed, 20 passed, 3 skipped, 1 error in 5.10s ====
"""


@pytest.fixture
def python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The Python of the platform, whose pytest prints what the test writes."""
    monkeypatch.setattr(elsewhere, "PATH", tmp_path / "platforms.json")
    monkeypatch.setattr(elsewhere, "PLATFORMS", tmp_path)
    monkeypatch.setattr(interpreters, "ask", lambda *_: THERE)
    path = tmp_path / "python"
    path.touch(mode=0o755)
    return path


def says(python: Path, text: str) -> None:
    """Let pytest print this on the platform."""
    python.write_text(f"#!/bin/sh\ncat << 'END'\n{text}\nEND\n")


def test_counts_are_recorded_with_the_names_of_what_failed(python: Path) -> None:
    says(python, SAID)
    found = elsewhere.record(str(python), [])
    assert (found.passed, found.failed, found.skipped) == (20, 2, 3)
    assert found.names == ["test_tree.py::test_tree[no /proc-1]"]
    assert elsewhere.load().tests == {"cpython-3.14-i386": found}
    assert (python.parent / "python.log").read_text("utf-8").strip() == SAID.strip()


def test_counts_of_some_files_are_not_recorded(python: Path) -> None:
    says(python, SAID)
    elsewhere.record(str(python), ["test_tree.py"])
    assert elsewhere.load().tests == {}


def test_tests_that_end_without_a_count_are_an_error(python: Path) -> None:
    says(python, "ImportError: no psutil")
    with pytest.raises(UserError, match=r"cpython-3\.14-i386: pytest ended with"):
        elsewhere.record(str(python), [])


def test_interrupted_tests_leave_no_program_running(
    python: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python.write_text("#!/bin/sh\nsetsid sleep 60 &\necho $!\nexec sleep 60\n")
    monkeypatch.setattr(elsewhere, "_DEADLINE", 0.5)
    with pytest.raises(subprocess.TimeoutExpired):
        elsewhere.record(str(python), [])
    pid = int((python.parent / "python.log").read_text("utf-8"))
    assert not psutil.pid_exists(pid)


def test_page_lists_each_platform_with_its_runs() -> None:
    rows = platforms.files()["platforms/table.md"].splitlines()
    assert any(row.startswith("| Windows on Wine 10.0 | CPython 3.11") for row in rows)


def test_page_lists_each_version_of_cpython_without_a_platform(
    python: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interpreters, "ask", lambda *_: replace(THERE, layer=""))
    says(python, SAID)
    found = elsewhere.record(str(python), [])
    (*_, row) = platforms.files()["platforms/versions.md"].splitlines()
    said = f"| CPython 3.14.1 | {found.kernel} | 20 of 22 passed, 3 skipped | "
    assert row == f"{said}{found.date} |"
