"""What `make lint` cannot see in the workflows: zizmor and a schema check the rest."""

import re
from typing import Any

import pytest
import yaml

from evidence.paths import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TARGETS = re.findall(r"(?m)^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"))


def jobs(name: str) -> dict[str, Any]:
    """Return the jobs of a workflow."""
    text = (ROOT / ".github" / "workflows" / name).read_text("utf-8")
    found: dict[str, Any] = yaml.safe_load(text)["jobs"]
    return found


def commands(job: dict[str, Any]) -> list[str]:
    """Return what a job gives to a shell."""
    return [step["run"] for step in job["steps"] if "run" in step]


@pytest.mark.parametrize("name", [path.name for path in WORKFLOWS])
def test_workflow_calls_only_targets_of_make(name: str) -> None:
    for job in jobs(name).values():
        for command in commands(job):
            called = re.match(r"make ([a-z]+) PYTHON=python( ARGS=.+)?$", command)
            assert called, command
            assert called[1] in TARGETS


def test_each_supported_python_is_tested_on_each_system() -> None:
    for job in jobs("ci.yml").values():
        pythons = job["strategy"]["matrix"]["python"]
        assert pythons == ["3.11", "3.12", "3.13", "3.14", "3.15"]
    matrix = jobs("ci.yml")["elsewhere"]["strategy"]["matrix"]
    assert matrix["name"] == ["macOS", "Windows"]


def test_release_publishes_only_what_was_checked_and_built() -> None:
    release = jobs("release.yml")
    assert commands(release["build"]) == [
        "make check PYTHON=python",
        "make dist PYTHON=python",
    ]
    assert release["publish"]["needs"] == "build"
    assert commands(release["publish"]) == []
