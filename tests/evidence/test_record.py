"""Runs are recorded by example and interpreter, and none is lost."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from evidence import examples, store
from evidence.examples import Example
from evidence.measure import interpreters, leftovers, record, runs
from evidence.measure.interpreters import Interpreter, UnusableError
from evidence.measure.runs import Column, Tally

PASSES = "print(1)\n#> 1\n"
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


@pytest.fixture(scope="module")
def here() -> Iterator[Interpreter]:
    """The interpreter that runs the tests."""
    with interpreters.packages() as packages:
        yield interpreters.ask(sys.executable, packages)


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Example]:
    """Write an example in an empty project."""
    monkeypatch.setattr(examples, "EXAMPLES", tmp_path / "examples")
    monkeypatch.setattr(runs, "FOLDER", tmp_path / "data" / "runs")

    def write(source: str, name: str = "topic/name") -> Example:
        path = tmp_path / "examples" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
        return Example(path)

    return write


def record_on(
    interpreter: Interpreter,
    example: Example,
    idle: int = 1,
    loaded: int = 0,
    deadline: float = 30,
) -> int:
    """Record an example; return the number of tasks that were run."""
    reports: list[str] = []
    wanted: dict[runs.Load, int] = {"idle": idle, "loaded": loaded}
    settings = record.Settings(wanted, Path(), deadline=deadline)
    record.record([example], interpreter, settings, reports.append)
    return len(reports)


def column_of(example: Example, interpreter: Interpreter) -> Column:
    """Return what is recorded of an example on an interpreter."""
    return runs.load(example).interpreters[interpreter.key]


def test_every_run_passed_or_is_among_those_that_differed() -> None:
    for example in examples.find():
        for column in runs.load(example).interpreters.values():
            assert (column.why_not is None) == bool(column.cells)
            for cell in column.cells.values():
                for tally in cell.tallies():
                    differed = sum(outcome.count for outcome in tally.differed)
                    assert tally.runs == tally.passed + differed, example.name


def test_every_example_has_results_and_every_result_an_example() -> None:
    promised = {f"cpython-3.{minor}-linux" for minor in range(9, 16)}
    found = examples.find()
    lacking = [e.name for e in found if not promised <= set(runs.load(e).interpreters)]
    assert lacking == [], "run: make evidence"
    files = set(runs.FOLDER.glob("*/*.json"))
    assert files == {runs.path_of(example) for example in found}


def test_recording_continues_where_it_stopped(
    here: Interpreter, write: Callable[..., Example]
) -> None:
    example = write(PASSES)
    tasks = [record_on(here, example, idle, loaded=1) for idle in (1, 3, 3)]
    cell = column_of(example, here).cells["own"]
    assert (cell.idle, cell.loaded) == (Tally(3, 3), Tally(1, 1))
    assert tasks == [2, 1, 0]


def test_changed_example_keeps_the_runs_of_absent_interpreters(
    here: Interpreter, write: Callable[..., Example]
) -> None:
    example = write(PASSES)
    absent = replace(here, language="3.8.20")
    for interpreter in here, absent:
        record_on(interpreter, example, 2)
    kept = column_of(example, absent)
    changed = write(PASSES + "print(2)\n#> 2\n")
    record_on(here, changed)
    assert column_of(changed, here).cells["own"].idle == Tally(1, 1)
    assert column_of(changed, here).is_of(changed)
    assert column_of(changed, absent) == kept
    assert not kept.is_of(changed)


def test_new_patch_version_starts_over_if_runs_are_missing(
    here: Interpreter, write: Callable[..., Example]
) -> None:
    example = write(PASSES)
    newer = replace(here, version="3.99.1")
    record_on(here, example, 2)
    assert record_on(newer, example, 2) == 0
    assert column_of(example, newer).version == here.version
    record_on(newer, example, 3)
    assert column_of(example, newer).version == "3.99.1"
    assert column_of(example, newer).cells["own"].idle == Tally(3, 3)


def test_runs_that_differ_are_counted_with_what_they_did(
    here: Interpreter, write: Callable[..., Example]
) -> None:
    example = write("print(2)\n#> 1\nopen('/no/such/file')\n")
    record_on(here, example, 2)
    tally = column_of(example, here).cells["own"].idle
    error = "FileNotFoundError: [Errno 2] No such file or directory: '.../file'"
    outcome = runs.Outcome(count=2, status=1, output=["2"], error=error, left=0)
    assert tally == Tally(runs=2, passed=0, differed=[outcome])


def test_hanging_run_is_killed_at_its_deadline_with_what_it_started(
    here: Interpreter, write: Callable[..., Example]
) -> None:
    example = write(STARTS_A_SLEEPER)
    record_on(here, example, deadline=6)
    (outcome,) = column_of(example, here).cells["own"].idle.differed
    assert (outcome.status, outcome.output, outcome.left) == (None, ["ready"], 1)


def test_reason_is_recorded_if_an_example_cannot_run(
    here: Interpreter, write: Callable[..., Example], monkeypatch: pytest.MonkeyPatch
) -> None:
    example = write(
        '# /// script\n# [tool.evidence]\n# needs = ["luck"]\n# ///\n' + PASSES
    )
    monkeypatch.setitem(examples.NEEDS, "luck", lambda: "needs luck")
    assert record_on(here, example) == 0
    assert column_of(example, here).why_not == "needs luck"
    # Another user, who may run it, replaces the reason; it does not come back.
    monkeypatch.setitem(examples.NEEDS, "luck", lambda: None)
    record_on(here, example)
    monkeypatch.setitem(examples.NEEDS, "luck", lambda: "needs luck")
    record_on(here, write(example.source + "print(2)\n#> 2\n"))
    assert column_of(example, here).count("own", "idle") == 1


def test_interpreter_lacks_a_package_or_a_newer_python(
    here: Interpreter, write: Callable[..., Example]
) -> None:
    example = write(
        '# /// script\n# requires-python = ">=3.11"\n'
        '# dependencies = ["psutil"]\n# ///\n'
    )
    assert here.why_not(example) is None
    old = replace(here, language="3.9.18")
    assert old.why_not(example) == "needs Python >=3.11, not 3.9.18"
    broken = replace(here, missing={"psutil": "ImportError: no C"})
    reason = "psutil does not work there (ImportError: no C)"
    assert broken.why_not(example) == reason
    assert replace(here, language="3.15.0b1").why_not(example) is None


def test_example_for_another_platform_runs_only_on_request(
    here: Interpreter, write: Callable[..., Example]
) -> None:
    example = write("# /// script\n# [tool.evidence]\n# platforms = ['plan9']\n# ///\n")
    assert here.why_not(example) == f"runs on plan9, not on {sys.platform}"
    assert replace(here, anyway=True).why_not(example) is None


def test_example_runs_under_each_start_method_unless_it_names_its_own(
    here: Interpreter, write: Callable[..., Example]
) -> None:
    start = "from multiprocessing import {}\n"
    follows = here.methods_for(write(start.format("Process")))
    assert follows == ["fork", "spawn", "forkserver"]
    assert here.methods_for(write(start.format("get_context"), "topic/own")) == ["own"]


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        (None, "No such file or directory"),
        ("#!/bin/sh\necho no libc >&2\nexit 127\n", "no libc"),
        ("#!/bin/sh\nexit 3\n", "exit status 3"),
        ("#!/bin/sh\necho hello\n", "Expecting value"),
    ],
)
def test_unusable_interpreter_is_skipped_with_the_reason(
    program: str | None, reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "python"
    if program:
        path.write_text(program)
        path.chmod(0o755)
    reports: list[str] = []
    with pytest.raises(UnusableError, match="none of these interpreters works"):
        interpreters.usable([str(path)], tmp_path, reports.append)
    assert reports[0].startswith(f"skipped {path}: ")
    assert reason in reports[0]


def test_broken_file_is_named(write: Callable[..., Example]) -> None:
    example = write(PASSES)
    runs.save(example, runs.Runs())
    path = runs.path_of(example)
    path.write_text('{"interpreters": {"cpython-3.11-linux": {"cores": "two"}}}')
    with pytest.raises(store.InvalidDataError, match=str(path)):
        runs.load(example)


def test_runs_of_removed_examples_are_removed(write: Callable[..., Example]) -> None:
    kept, gone = write(PASSES, "topic/kept"), write(PASSES, "topic/gone")
    for example in kept, gone:
        runs.save(example, runs.Runs())
    runs.forget({kept.name})
    assert list(runs.FOLDER.rglob("*.json")) == [runs.path_of(kept)]


def test_ctrl_c_keeps_finished_runs_and_leaves_nothing_running(
    here: Interpreter, write: Callable[..., Example], tmp_path: Path
) -> None:
    first, second = write(PASSES, "topic/a"), write(STARTS_A_SLEEPER, "topic/b")
    options = ["--python", sys.executable, "--jobs", "1", "--runs", "2"]
    with leftovers.ended() as left:
        recording = subprocess.Popen(
            [sys.executable, "-c", COMMAND, str(tmp_path), "record", *options],
            process_group=0,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        deadline = time.monotonic() + 60
        while not second.path.with_suffix(".started").exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        os.killpg(recording.pid, signal.SIGINT)
        output, _ = recording.communicate(timeout=60)
    assert left == []
    assert recording.returncode == 1
    assert output.splitlines()[1:] == [
        "evidence: interrupted; what was recorded is kept"
    ]
    assert column_of(first, here).cells["own"].idle == Tally(2, 2)
    assert not runs.path_of(second).exists()


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["topic/nothing"], "evidence: no such example: topic/nothing; expected"),
        (["--python", "/no/python"], "evidence: none of these interpreters works;"),
        (["--runs", "0"], "argument --runs: must be a whole number >= 1, got 0"),
    ],
)
def test_recording_ends_with_one_line_that_says_what_is_wrong(
    arguments: list[str], line: str, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", COMMAND, str(tmp_path), "record", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode
    assert line in result.stderr.splitlines()[-1]
