"""What was measured is recorded, shown, and still true of the examples."""

import json
import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError
from test_checks import HANG, WORKER, Copy, copy, wait_until

from evidence import examples
from evidence.examples import Example
from evidence.measure import interpreters, record
from evidence.measure.interpreters import Interpreter, UnusableError
from evidence.render import tables
from helpers import DOCS

__all__ = ["copy"]  # The fixture.

EXAMPLES = examples.find()
RECORDS = record.load_all()
MEND = "run: make evidence"

each_example = pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e.name)
each_record = pytest.mark.parametrize("key", list(RECORDS))


@pytest.fixture
def here() -> Iterator[Interpreter]:
    """The interpreter that runs the tests."""
    with interpreters.packages() as packages:
        yield interpreters.ask(sys.executable, packages)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty place for records."""
    monkeypatch.setattr(record, "FOLDER", tmp_path)
    return tmp_path


def example_of(tmp_path: Path, source: str) -> Example:
    """An example outside the project."""
    path = tmp_path / "example.py"
    path.write_text(source)
    return Example(path)


def task_of(example: Example, **changes: Any) -> dict[str, Any]:
    """What a process that runs a cell is told."""
    task = {
        "path": str(example.path),
        "python": sys.executable,
        "start_method": None,
        "runs": 2,
        "deadline": 30.0,
        "packages": "",
    }
    return task | changes


@each_record
def test_record_follows_the_schema(key: str) -> None:
    """Others can rely on it."""
    schema = json.loads(record.SCHEMA.read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(RECORDS[key])


@each_record
def test_record_is_of_the_examples_as_they_are(key: str) -> None:
    """A run of another version of an example proves nothing."""
    recorded = {name: e["sha256"] for name, e in RECORDS[key]["examples"].items()}
    assert recorded == {e.name: e.sha256 for e in EXAMPLES}, MEND


@each_record
def test_record_has_the_counts_right(key: str) -> None:
    """Each run has held, or is among those that differed."""
    for entry in RECORDS[key]["examples"].values():
        for cell in entry.get("cells", {}).values():
            for load in set(record.LOADS) & set(cell):
                found = cell[load]
                differed = sum(outcome["count"] for outcome in found["differed"])
                assert found["runs"] == found["held"] + differed


def test_all_pythons_of_the_promise_are_measured() -> None:
    """CPython from 3.9 to 3.15, and PyPy."""
    versions = [f"cpython-3.{minor}-linux" for minor in range(9, 16)]
    assert set(RECORDS) >= {*versions, "pypy-3.11-linux"}


@each_example
def test_table_is_what_the_record_gives(example: Example) -> None:
    """And it stands on the page of its example."""
    name = f"tables/{example.name}.html"
    assert (tables.FRAGMENTS / name).read_text("utf-8") == tables.table_of(
        RECORDS, example
    ), MEND
    page = (DOCS / "examples" / f"{example.name}.md").read_text("utf-8")
    assert f'--8<-- "docs/evidence/fragments/{name}"' in page.splitlines()


def test_overview_is_what_the_records_give() -> None:
    """Both the table and the sum of it."""
    overview = (tables.FRAGMENTS / "overview.html").read_text("utf-8")
    assert overview == tables.overview(RECORDS), MEND
    numbers = (tables.FRAGMENTS / "numbers.html").read_text("utf-8")
    assert numbers == tables.numbers(RECORDS), MEND
    front = (tables.FRAGMENTS / "front.html").read_text("utf-8")
    assert front == tables.front(RECORDS), MEND


def test_held_runs_are_counted(tmp_path: Path) -> None:
    """A run holds if it prints what it says."""
    example = example_of(tmp_path, "print(1)\n#> 1\n")
    assert record.run_cell(task_of(example)) == {"held": 2, "differed": []}


def test_runs_that_differ_are_counted_by_what_they_did(tmp_path: Path) -> None:
    """With what they printed, and the last line of their error, without paths."""
    source = "print(2)\n#> 1\nopen('/no/such/file')\n"
    assert record.run_cell(task_of(example_of(tmp_path, source))) == {
        "held": 0,
        "differed": [
            {
                "count": 2,
                "status": 1,
                "output": ["2"],
                "error": "FileNotFoundError: [Errno 2] No such file or directory: '.../file'",
                "left": 0,
            }
        ],
    }


def test_hang_is_killed_and_recorded(tmp_path: Path) -> None:
    """With no exit status, and the number of processes that it left."""
    example = example_of(tmp_path, HANG.format(marker=tmp_path / "started"))
    found = record.run_cell(task_of(example, runs=1, deadline=1.0))
    (outcome,) = found["differed"]
    assert (outcome["status"], outcome["left"]) == (None, 1)


def record_on(
    interpreter: Interpreter, wanted: dict[str, int], names: list[str]
) -> list[str]:
    """Record some examples, and return what is said of it."""
    reports: list[str] = []
    with interpreters.packages() as packages:
        jobs = record.Jobs(1, 30.0, packages)
        try:
            record.record_on(interpreter, wanted, names, jobs, reports.append)
        finally:
            jobs.close()
    return reports


def test_recording_goes_on_where_it_stopped(here: Interpreter, folder: Path) -> None:
    """Only the runs that are missing are made."""
    name = "terminate/describe_exit_codes"
    reports: list[str] = []
    for wanted in (1, 3, 3):
        reports += record_on(here, {"rest": wanted, "busy": 1}, [name])
    data = json.loads((folder / f"{here.key}.json").read_text())
    cell = data["examples"][name]["cells"]["own"]
    assert (cell["rest"]["runs"], cell["busy"]["runs"]) == (3, 1)
    assert len(reports) == 3  # rest, busy, rest again
    assert [path.name for path in folder.iterdir()] == [f"{here.key}.json"]


def test_other_examples_keep_their_runs_on_another_version(
    here: Interpreter, folder: Path
) -> None:
    """A Python 3.11.2 measures what is new, and drops nothing of a 3.11.7."""
    new, *others = EXAMPLES
    data = json.loads(json.dumps(RECORDS[here.key]))
    data["examples"][new.name]["sha256"] = "0" * 64
    record.save(here.key, data)
    older = replace(here, version="3.11.2")
    runs = {"rest": 1, "busy": 1}
    record_on(older, runs, [new.name])
    after = json.loads((folder / f"{here.key}.json").read_text())
    assert after["version"] == RECORDS[here.key]["version"]
    assert after["examples"][new.name]["version"] == "3.11.2"
    for example in others:
        if data["examples"][example.name]["sha256"] == example.sha256:
            assert after["examples"][example.name] == data["examples"][example.name]
    assert ">3.11.2</a>" in tables.table_of({here.key: after}, new)
    assert ">3.11.2</a>" not in tables.table_of({here.key: after}, others[0])


def test_another_version_adds_no_runs_to_those_of_the_first(
    here: Interpreter, folder: Path
) -> None:
    """The runs of an example are of one version."""
    name = "terminate/describe_exit_codes"
    record.save(here.key, RECORDS[here.key])
    entry = RECORDS[here.key]["examples"][name]["cells"]["own"]
    wanted = {"rest": entry["rest"]["runs"] + 1, "busy": 1}
    record_on(replace(here, version="3.11.2"), wanted, [name])
    after = json.loads((folder / f"{here.key}.json").read_text())
    found = after["examples"][name]
    assert found["version"] == "3.11.2"
    assert found["cells"]["own"]["rest"]["runs"] == wanted["rest"]
    assert found["cells"]["own"]["busy"]["runs"] == 1


@pytest.mark.usefixtures("folder")
def test_runs_stay_where_they_cannot_be_repeated(
    here: Interpreter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by a user who is not root, after root has recorded."""
    name = "family/ignore_sigterm_as_pid_1"
    record.save(here.key, RECORDS[here.key])
    monkeypatch.setitem(examples.NEEDS, "pid namespace", lambda: "needs root")
    assert record.begin(here)["examples"][name] == RECORDS[here.key]["examples"][name]


def test_changed_example_loses_its_runs(folder: Path) -> None:
    """On all interpreters, also on those that are not at hand."""
    name = EXAMPLES[0].name
    data = json.loads(json.dumps(RECORDS["cpython-3.14-linux"]))
    kept = data["examples"][EXAMPLES[1].name]
    data["examples"][name]["sha256"] = "0" * 64
    record.save("cpython-3.14-linux", data)
    record.forget_what_changed()
    after = json.loads((folder / "cpython-3.14-linux.json").read_text())
    assert after["examples"][name] == {"sha256": EXAMPLES[0].sha256, "cells": {}}
    assert after["examples"][EXAMPLES[1].name] == kept


def test_bad_record_is_not_written(folder: Path) -> None:
    """And the one that was there stays."""
    record.save("cpython-3.14-linux", RECORDS["cpython-3.14-linux"])
    before = (folder / "cpython-3.14-linux.json").read_text()
    with pytest.raises(ValidationError):
        record.save("cpython-3.14-linux", {"version": "new"})
    assert (folder / "cpython-3.14-linux.json").read_text() == before


def test_record_names_its_schema(folder: Path) -> None:
    """By the way from the one file to the other, in the repository and on the site."""
    record.save("cpython-3.14-linux", RECORDS["cpython-3.14-linux"])
    saved = json.loads((folder / "cpython-3.14-linux.json").read_text())
    assert (DOCS / "evidence/runs" / saved["$schema"]).resolve() == record.SCHEMA


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        (None, "No such file or directory"),
        ("#!/bin/sh\necho no libc >&2\nexit 127\n", "no libc"),
        ("#!/bin/sh\nexit 3\n", "exit status 3"),
        ("#!/bin/sh\necho hello\n", "Expecting value"),
    ],
)
def test_unusable_interpreter_says_why(
    program: str | None, reason: str, tmp_path: Path
) -> None:
    """It is skipped, and its reason is shown."""
    path = tmp_path / "python"
    if program:
        path.write_text(program)
        path.chmod(0o755)
    with pytest.raises(UnusableError, match=reason):
        interpreters.ask(str(path), tmp_path)


def test_interpreter_says_what_an_example_lacks(here: Interpreter) -> None:
    """A newer Python, or a package."""
    said = {"psutil": "ImportError: no C"}
    old = Interpreter("", "CPython", "3.9.18", "3.9.18", "linux", ["fork"], said)
    by_name = {example.name: example for example in EXAMPLES}
    example = by_name["terminate/stop_a_worker"]
    assert here.why_not(example) is None
    assert old.why_not(example) == "needs Python >=3.11, not 3.9.18"
    assert old.why_not(by_name["terminate/terminate_a_stopped_worker"]) == (
        "psutil does not work there (ImportError: no C)"
    )
    assert old.why_not(by_name["terminate/escalate_to_kill"]) is None


def test_example_for_another_platform_is_run_on_request(
    tmp_path: Path, here: Interpreter
) -> None:
    """So that one can see what it does there."""
    header = "# /// script\n# [tool.evidence]\n# platforms = ['plan9']\n# ///\n"
    example = example_of(tmp_path, header)
    assert here.why_not(example) == f"runs on plan9, not on {sys.platform}"
    assert replace(here, anyway=True).why_not(example) is None


def test_example_says_what_python_it_needs(tmp_path: Path) -> None:
    """By its header, as other tools read it."""
    header = '# /// script\n# requires-python = ">=3.14"\n# ///\n'
    example = example_of(tmp_path, header + "print(1)\n")
    assert example.why_not_on("linux", "3.15.0b1") is None
    assert example.why_not_on("linux", "3.13.9") == "needs Python >=3.14, not 3.13.9"


def test_example_says_what_right_it_needs(
    here: Interpreter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the system denies it, it is skipped, and the record says why."""
    header = '# /// script\n# [tool.evidence]\n# needs = ["luck"]\n# ///\n'
    example = example_of(tmp_path, header + "print(1)\n")
    monkeypatch.setitem(examples.NEEDS, "luck", lambda: None)
    assert example.why_not_here is None
    monkeypatch.setitem(examples.NEEDS, "luck", lambda: "needs luck")
    assert example.why_not_here == here.why_not(example) == "needs luck"


def test_example_that_names_its_method_is_run_once(here: Interpreter) -> None:
    """Others under each start method."""
    by_name = {example.name: example for example in EXAMPLES}
    methods = here.methods_for(by_name["terminate/terminate_a_worker"])
    assert methods == ["fork", "spawn", "forkserver"]
    assert here.methods_for(by_name["terminate/kill_the_forkserver"]) == ["own"]
    assert here.methods_for(by_name["terminate/describe_exit_codes"]) == ["own"]


def test_ctrl_c_ends_a_recording(copy: Copy) -> None:
    """Nothing is left running, and no file half-written."""
    copy.write(WORKER, HANG.format(marker=copy.folder / "started"))
    name = "terminate/terminate_a_worker"
    command = ["-m", "evidence", "record", name, "--python", sys.executable]
    recording = copy.start(sys.executable, *command)
    wait_until((copy.folder / "started").exists)
    os.killpg(recording.pid, signal.SIGINT)
    output, _ = recording.communicate(timeout=60)
    assert recording.returncode == 1
    assert output.splitlines()[-1] == "evidence: interrupted; what was recorded is kept"
    assert "Traceback" not in output
    files = (copy.folder / "docs/evidence/runs").iterdir()
    assert all(json.loads(path.read_text()) for path in files)


def test_recording_says_what_is_wrong(copy: Copy) -> None:
    """A name that no example has, an interpreter that cannot run, a bad count."""
    evidence = [sys.executable, "-m", "evidence", "record"]
    status, output = copy.run(*evidence, "terminate/nothing")
    assert (status, output) == (1, "evidence: no such example: terminate/nothing\n")
    status, output = copy.run(*evidence, "--python", "/no/python")
    assert status == 1
    assert "skipped /no/python: " in output
    assert output.endswith("evidence: none of these interpreters can run\n")
    status, output = copy.run(*evidence, "--runs", "0")
    assert status == 2
    assert "a whole number from 1 on, not 0" in output


def test_changed_example_fails_with_the_command_that_mends_it(copy: Copy) -> None:
    """Its runs were of another file; `make evidence` measures it again."""
    copy.replace(WORKER, "exit code", "exit  code")
    status, output = copy.test("tests/test_record.py", "-k", "examples_as_they_are")
    assert status == 1
    assert MEND in output
    command = ["record", "--runs", "1", "--busy", "1", "--python", sys.executable]
    name = "terminate/terminate_a_worker"
    status, output = copy.run(sys.executable, "-m", "evidence", *command, name)
    assert status == 0, output
    status, output = copy.test("tests/test_record.py", "-k", "as_they_are or gives")
    assert status == 0, output
