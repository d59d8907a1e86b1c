"""Stop real programs with the library as it is installed; run by `make outside`."""

import signal
from pathlib import Path

import pytest

from evidence import installed
from evidence.studies import programs

pytestmark = pytest.mark.timeout(300)


@pytest.mark.parametrize("name", programs.PROGRAMS)
def test_recipe_stops_its_program_and_leaves_nothing(name: str, python: Path) -> None:
    if reason := programs.why_not(name):
        pytest.skip(reason)
    run = programs.run(name, python)
    assert run.left == []
    assert run.calls
    assert [call.alive for call in run.calls] == [[]] * len(run.calls)
    if name in {"nginx", "redis", "gunicorn", "uvicorn"}:
        for call in run.calls:
            assert call.ended[0].code == 0
            assert {end.by for end in call.ended} == {"SIGTERM"}
            assert call.seconds < call.grace
    if name == "redis_killed":  # The recipe itself checks that the data is lost.
        assert run.calls[0].ended[0].code == -signal.SIGKILL


def test_environment_has_the_wheel_and_not_the_sources(python: Path) -> None:
    said = installed.run([python, "-c", "import process_terminate, evidence"])
    assert "No module named 'evidence'" in said.stderr
