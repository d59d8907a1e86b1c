"""Runs are recorded by example and interpreter, and none is lost."""

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from copies import DEADLINE, Folder, wait_until
from evidence import UserError, examples, store
from evidence.examples import Example
from evidence.measure import interpreters, leftovers, record, runs
from evidence.measure.interpreters import Interpreter, UnusableError
from evidence.measure.runs import Column, Tally
from evidence.render import results
from evidence.render.results import Results

PASSES = "print(1)\n#> 1\n"
HEADER = "# /// script\n# {}\n# ///\n"
STARTS_A_SLEEPER = """
import pathlib, subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
pathlib.Path(__file__).with_suffix(".started").touch()
print("ready", flush=True)
#> ready
time.sleep(600)
"""
# Runs the command line on other folders than those of the project.
COMMAND = """
import pathlib, sys
from evidence import paths
folder = pathlib.Path(sys.argv.pop(1))
paths.EXAMPLES, paths.DATA = folder / "examples", folder / "data"
from evidence import cli
cli.main()
"""


METHODS = ["fork", "spawn", "forkserver"]
HERE = Interpreter(
    sys.executable, "CPython", "3.13.1", "3.13.1", sys.platform, METHODS, {}
)
RECORDED = {example: runs.load(example) for example in examples.find()}
FILES = {path.stem for path in runs.FOLDER.glob("*/*.json")}


@pytest.fixture(autouse=True)
def _empty_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examples, "EXAMPLES", tmp_path / "examples")
    monkeypatch.setattr(runs, "FOLDER", tmp_path / "data" / "runs")


def write(source: str, name: str = "topic/name") -> Example:
    """Write an example into the empty project."""
    path = runs.FOLDER.parents[1] / "examples" / f"{name}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source)
    return Example(path)


def record_on(
    interpreter: Interpreter,
    example: Example,
    idle: int = 1,
    loaded: int = 0,
    deadline: float = 60,
) -> Column:
    """Record an example on an interpreter; return its column."""
    wanted: dict[runs.Load, int] = {"idle": idle, "loaded": loaded}
    settings = record.Settings(wanted, Path(), deadline=deadline)
    record.record([example], interpreter, settings, lambda _: None)
    return column_of(example, interpreter)


def column_of(example: Example, interpreter: Interpreter = HERE) -> Column:
    """Return the recorded runs of an example on an interpreter."""
    return runs.load(example).interpreters[interpreter.key]


def test_every_run_passed_or_is_among_those_that_differed() -> None:
    for recorded in RECORDED.values():
        for column in recorded.interpreters.values():
            assert (column.why_not is None) == bool(column.cells)
            for cell in column.cells.values():
                for tally in cell.tallies():
                    differed = sum(outcome.count for outcome in tally.differed)
                    assert tally.runs == tally.passed + differed


def test_every_example_has_results_and_every_result_an_example() -> None:
    promised = {f"cpython-3.{minor}-linux" for minor in range(9, 16)}
    untested = [
        f"{example.path.parent.name}/{example.path.stem}"
        for example, results in RECORDED.items()
        if "linux" in example.platforms and not promised <= set(results.interpreters)
    ]
    assert untested == [], f"run: make record ARGS='{' '.join(untested)}'"
    assert {example.path.stem for example in RECORDED} == FILES


def test_recording_continues_where_it_stopped() -> None:
    example = write(PASSES)
    record_on(HERE, example)
    cell = record_on(HERE, example, 3, 1).cells["own"]
    assert (cell.idle, cell.loaded) == (Tally(3, 3), Tally(1, 1))
    before = runs.path_of(example).stat()
    record_on(HERE, example, 3, 1)
    assert runs.path_of(example).stat() == before


def test_changed_example_keeps_the_runs_of_absent_interpreters() -> None:
    example = write(PASSES)
    absent = replace(HERE, language="3.8.20")
    record_on(HERE, example, 2)
    kept = record_on(absent, example, 2)
    changed = write(PASSES + "print(2)\n#> 2\n")
    column = record_on(HERE, changed)
    assert (column.cells["own"].idle, column.is_of(changed)) == (Tally(1, 1), True)
    assert column_of(changed, absent) == kept
    assert not kept.is_of(changed)


def test_new_patch_version_starts_over_if_runs_are_missing() -> None:
    example = write(PASSES)
    newer = replace(HERE, version="3.13.2")
    before = record_on(HERE, example, 2)
    assert record_on(newer, example, 2) == before
    column = record_on(newer, example, 3)
    assert (column.version, column.cells["own"].idle) == ("3.13.2", Tally(3, 3))


def test_runs_that_differ_are_counted_with_what_they_did() -> None:
    example = write("print('in /no/such/2')\n#> 1\nopen('/no/such/file')\n")
    error = "FileNotFoundError: [Errno 2] No such file or directory: '.../file'"
    outcome = runs.Outcome(count=2, status=1, output=["in .../2"], error=error, left=0)
    tally = record_on(HERE, example, 2).cells["own"].idle
    assert tally == Tally(runs=2, passed=0, differed=[outcome])


def test_hanging_run_is_killed_at_its_deadline_with_what_it_started() -> None:
    column = record_on(HERE, write(STARTS_A_SLEEPER), deadline=5)
    (outcome,) = column.cells["own"].idle.differed
    assert (outcome.status, outcome.output, outcome.left) == (None, ["ready"], 1)


@pytest.mark.parametrize(
    ("needs", "changes", "reason"),
    [
        ("requires-python = '>=3.13'", {}, None),
        ("requires-python = '>=3.14'", {}, "needs Python >=3.14, not 3.13.1"),
        ("tool.evidence.platforms = ['plan9']", {"anyway": True}, None),
        (
            "tool.evidence.platforms = ['plan9']",
            {},
            f"runs on plan9, not on {sys.platform}",
        ),
        (
            "dependencies = ['psutil']",
            {"missing": {"psutil": "ImportError: no C"}},
            "psutil does not work there (ImportError: no C)",
        ),
    ],
)
def test_reason_is_recorded_if_an_interpreter_cannot_run_an_example(
    needs: str, changes: dict[str, Any], reason: str | None
) -> None:
    example = write(HEADER.format(needs) + PASSES)
    column = record_on(replace(HERE, **changes), example)
    assert column.why_not == reason
    assert bool(column.cells) == (reason is None)


def test_runs_of_another_user_stay_if_this_user_may_not_run_the_example(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(examples.NEEDS, "luck", lambda: None)
    example = write(HEADER.format("tool.evidence.needs = ['luck']") + PASSES)
    column = record_on(HERE, example)
    monkeypatch.setitem(examples.NEEDS, "luck", lambda: "needs luck")
    assert HERE.why_not(example) == example.why_not_here == "needs luck"
    assert record_on(HERE, write(example.source + "print(2)\n")) == column


def test_example_runs_under_each_start_method_unless_it_names_its_own() -> None:
    follows = write("from multiprocessing import Process\n")
    names = write("from multiprocessing import get_context\n", "topic/own")
    assert HERE.methods_for(follows) == METHODS
    assert HERE.methods_for(names) == ["own"]


def shell_script(folder: Path, text: str) -> Path:
    """Write a shell script that stands for a Python."""
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        (None, "No such file or directory"),
        ("echo no libc >&2; exit 127", "no libc"),
        ("exit 3", "exit status 3"),
        ("echo hello", "Expecting value"),
    ],
)
def test_unusable_interpreter_is_skipped_with_the_reason(
    program: str | None, reason: str, tmp_path: Path
) -> None:
    path = shell_script(tmp_path, program) if program else tmp_path / "python"
    reports: list[str] = []
    with pytest.raises(UnusableError, match="none of these interpreters works"):
        interpreters.usable([str(path)], tmp_path, reports.append)
    assert reports[0].startswith(f"skipped {path}: ")
    assert reason in reports[0]


def test_broken_file_is_named() -> None:
    example = write(PASSES)
    runs.save(example, runs.Runs())
    path = runs.path_of(example)
    path.write_text('{"interpreters": {"cpython-3.11-linux": {"cores": "two"}}}')
    with pytest.raises(UserError, match=str(path)):
        runs.load(example)


def test_runs_of_removed_examples_are_removed() -> None:
    kept, gone = write(PASSES, "topic/kept"), write(PASSES, "topic/gone")
    for example in kept, gone:
        runs.save(example, runs.Runs())
    store.forget(runs.FOLDER, {kept.name})
    assert list(runs.FOLDER.rglob("*.json")) == [runs.path_of(kept)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_keeps_finished_runs_and_leaves_nothing_running(
    number: signal.Signals, tmp_path: Path
) -> None:
    first, second = write(PASSES, "topic/a"), write(STARTS_A_SLEEPER, "topic/b")
    options = ["--python", sys.executable, "--jobs", "1", "--runs", "2"]
    command = [sys.executable, "-c", COMMAND, str(tmp_path), "record", *options]
    with leftovers.ended() as left:
        recording = Folder(tmp_path).start(*command)
        wait_until(second.path.with_suffix(".started").exists)
        os.killpg(recording.pid, number)
        output, _ = recording.communicate(timeout=DEADLINE)
    assert left == []
    assert recording.returncode == 1
    assert output.splitlines()[1:] == [
        "evidence: interrupted; what was recorded is kept"
    ]
    (column,) = runs.load(first).interpreters.values()
    assert column.cells["own"].idle == Tally(2, 2)
    assert not runs.path_of(second).exists()


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["topic/nothing"], "evidence: no such example: topic/nothing; expected"),
        (["--python", "/no/python"], "evidence: none of these interpreters works;"),
        (["--runs", "0"], "argument --runs: must be a whole number >= 1, got 0"),
        (["--loaded", "-1"], "argument --loaded: must be a whole number >= 0, got -1"),
    ],
)
def test_recording_ends_with_one_line_that_says_what_is_wrong(
    arguments: list[str], line: str, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", COMMAND, str(tmp_path), "record", *arguments]
    status, output = Folder(tmp_path).run(*command)
    assert status
    assert line in output.splitlines()[-1]


def test_packages_built_for_one_interpreter_come_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interpreters, "PLATFORMS", tmp_path)
    (tmp_path / "pypy3").mkdir()
    packages = Path("packages")
    path = interpreters.search_path("/opt/pypy3", packages)
    assert path.split(os.pathsep) == [str(tmp_path / "pypy3"), "packages"]
    assert interpreters.search_path("/opt/python3.14", packages) == "packages"


def test_runs_on_wine_are_not_called_runs_on_windows() -> None:
    wine = replace(HERE, platform="win32", layer="Wine 10.0")
    example = write(HEADER.format('[tool.evidence]\n# platforms = ["win32"]') + PASSES)
    found = Results(example, runs.Runs({wine.key: record_on(wine, example)}))
    assert list(found.columns) == ["cpython-3.13-wine"]
    assert found.titles("passed") == ["CPython 3.13.1 for Windows on Wine 10.0"]
    assert results.groups(found.columns.values()) == [
        ("CPython for Windows on Wine 10.0", ["3.13.1"])
    ]
    assert "Windows" in found.untested_systems


def test_runs_on_another_linux_are_not_counted_as_runs_on_this_one() -> None:
    there = replace(HERE, layer="arm64 on qemu-user 11.0", kernel="5.10.0-30-cloud")
    example = write(PASSES)
    record_on(HERE, example)
    column = record_on(there, example)
    assert column.cells["own"].kernel == "Linux 5.10.0"
    assert there.key == "cpython-3.13-arm64"
    found = Results(example, runs.load(example))
    assert list(found.columns) == [HERE.key]
    assert found.elsewhere_in("passed") == ["arm64 on qemu-user 11.0 (1 of 1 runs)"]
    assert found.verdict == "Passed in all 1 runs on 1 Python"


def test_interpreter_says_which_other_linux_it_is(tmp_path: Path) -> None:
    run = f'EVIDENCE_LAYER="Linux 6.1 on QEMU 7.2" exec {sys.executable} "$@"'
    found = interpreters.ask(str(shell_script(tmp_path, run)), tmp_path)
    assert found.layer == "Linux 6.1 on QEMU 7.2"
    assert found.key.endswith("-linux6.1")


def test_interpreter_that_does_not_see_the_examples_is_refused(tmp_path: Path) -> None:
    """As an emulated machine that was set up in another checkout."""
    run = f'exec {sys.executable} "$1" "$2" /no/examples'
    with pytest.raises(UnusableError, match="it does not see /no/examples: set it up"):
        interpreters.ask(str(shell_script(tmp_path, run)), tmp_path)
