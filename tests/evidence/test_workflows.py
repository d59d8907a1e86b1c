"""What the CI runs: valid, pinned, with the least rights, and only `make`."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from evidence.paths import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
#: The schema of SchemaStore, which has its licence beside it.
SCHEMA = ROOT / "tests" / "schemas" / "github-workflow.json"
#: What may be written, by the file and the job that may.
WRITES = {
    ("pages.yml", "deploy"): {"pages": "write", "id-token": "write"},
    ("release.yml", "publish"): {"id-token": "write"},
}
PINNED = re.compile(r"^[\w-]+(/[\w-]+)+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")

each_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)


def load(path: Path) -> Any:
    """A workflow; BaseLoader, because YAML takes the key `on` for true."""
    return yaml.load(path.read_text("utf-8"), yaml.BaseLoader)  # noqa: S506


def steps(path: Path) -> Iterator[dict[str, Any]]:
    """The steps of all jobs."""
    for job in load(path)["jobs"].values():
        yield from job["steps"]


def test_workflows_are_there() -> None:
    """The checks, the site, and the package."""
    assert [path.name for path in WORKFLOWS] == ["ci.yml", "pages.yml", "release.yml"]


@each_workflow
def test_workflow_follows_the_schema(path: Path) -> None:
    """A fault shows here, and not first on the other side."""
    found = yaml.safe_load(path.read_text("utf-8"))
    found["on"] = found.pop(True)  # What YAML 1.1 takes the key for.
    schema = json.loads(SCHEMA.read_text("utf-8"))
    assert [error.message for error in Draft7Validator(schema).iter_errors(found)] == []


@each_workflow
def test_action_is_pinned_by_its_commit(path: Path) -> None:
    """A tag can be moved; the version stands beside the commit, for readers."""
    uses = re.findall(r"(?m)^ *(?:- )?uses: (.+)$", path.read_text("utf-8"))
    assert len(uses) == sum("uses" in step for step in steps(path))
    assert [line for line in uses if not PINNED.match(line)] == []


def test_action_has_one_version() -> None:
    """In all workflows the same."""
    text = "".join(path.read_text("utf-8") for path in WORKFLOWS)
    pins = {tuple(use.split("@")) for use in re.findall(r"uses: (.+)", text)}
    assert len({action for action, _ in pins}) == len(pins)


@each_workflow
def test_workflow_calls_only_make(path: Path) -> None:
    """What CI does can be done by hand; and no text from outside gets to a shell."""
    verbs = re.findall(r"(?m)^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"))
    for step in steps(path):
        if "run" in step:
            called = re.fullmatch(r"make ([a-z]+)( [A-Z_]+=[\w.]+)*", step["run"])
            assert called, step["run"]
            assert called[1] in verbs


@each_workflow
def test_workflow_has_the_least_rights(path: Path) -> None:
    """All may read; two jobs may write just what they are for."""
    workflow = load(path)
    assert workflow["permissions"] == {"contents": "read"}
    for name, job in workflow["jobs"].items():
        assert job.get("permissions", {}) == WRITES.get((path.name, name), {})
    for step in steps(path):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] == "false"


def test_all_supported_pythons_are_checked_on_three_systems() -> None:
    """From `requires-python` to the newest."""
    for job in load(WORKFLOWS[0])["jobs"].values():
        matrix = job["strategy"]["matrix"]
        assert matrix["python"] == ["3.11", "3.12", "3.13", "3.14", "3.15"]
    assert load(WORKFLOWS[0])["jobs"]["elsewhere"]["strategy"]["matrix"]["name"] == [
        "macOS",
        "Windows",
    ]


def test_release_needs_what_the_build_has_checked() -> None:
    """What is published is what was built, and nothing builds it again."""
    jobs = load(ROOT / ".github" / "workflows" / "release.yml")["jobs"]
    assert jobs["publish"]["needs"] == "build"
    assert [step["run"] for step in jobs["build"]["steps"] if "run" in step] == [
        "make check PYTHON=python",
        "make dist PYTHON=python",
    ]
    assert not any("run" in step for step in jobs["publish"]["steps"])
