"""Real programs, stopped by the library as it is installed; run by `make outside`."""

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evidence.studies import programs

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="session")
def python() -> Iterator[Path]:
    """The Python of an environment that has the wheel, and nothing of the project."""
    try:
        with programs.environment() as found:
            yield found
    except programs.UnavailableError as error:
        pytest.skip(f"the environment cannot be made: {error}")


def calls_of(name: str, python: Path) -> list[dict[str, Any]]:
    """Run a recipe, if its programs are here; nothing is left of it."""
    if reason := programs.why_not(name):
        pytest.skip(reason)
    found = programs.run(name, python)
    assert found["left"] == []
    assert Path(found["library"]).is_relative_to(python.parents[1])
    calls: list[dict[str, Any]] = found["calls"]
    assert [call["alive"] for call in calls] == [[]] * len(calls)
    return calls


@pytest.mark.parametrize("name", programs.PROGRAMS)
def test_program_is_stopped_and_leaves_nothing(name: str, python: Path) -> None:
    """No process is alive afterwards, however it hides."""
    assert calls_of(name, python)


@pytest.mark.parametrize("name", ["nginx", "redis", "gunicorn", "uvicorn"])
def test_server_ends_by_itself_within_its_grace(name: str, python: Path) -> None:
    """It hears SIGTERM, cleans up, and exits with 0; none needs SIGKILL."""
    for call in calls_of(name, python):
        assert call["ended"][0]["code"] == 0
        assert {end["by"] for end in call["ended"]} == {"SIGTERM"}
        assert call["seconds"] < call["grace"]


def test_redis_without_grace_is_killed(python: Path) -> None:
    """The recipe itself holds that its data is lost."""
    killed, _ = calls_of("redis_killed", python)
    assert killed["ended"][0]["code"] == -signal.SIGKILL


def test_environment_has_the_wheel_alone(python: Path) -> None:
    """Nothing leads to the sources: not the path, and no development install."""
    said = subprocess.run(
        [python, "-c", "import process_terminate, evidence"],
        capture_output=True,
        check=False,
        env=programs.clean_environment(),
        text=True,
    )
    assert "No module named 'evidence'" in said.stderr
