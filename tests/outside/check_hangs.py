"""Make real programs hang and diagnose them; run by `make outside`."""

from pathlib import Path

import pytest

from evidence.studies import hangs

pytestmark = pytest.mark.timeout(300)

#: A sentence that diagnose() must print of each program.
SAYS = {
    "popen": "It waits for itself",
    "executor": "SIGTERM is ignored",
    "pytest": "waits for another thread of this process",
    "gunicorn": "Its parent is a supervisor",
    "postgresql": "LOCK TABLE waiting",
    "sigttin": "It is stopped in the background of its terminal",
    "jupyter": "Its main thread is computing",
}


@pytest.fixture(scope="session")
def hanging(python: Path) -> Path:
    """The Python of the environment, with the programs."""
    hangs.install(python)
    return python


@pytest.mark.parametrize("name", hangs.HANGS)
def test_diagnose_says_why_a_real_program_hangs(name: str, hanging: Path) -> None:
    if reason := hangs.why_not(name):
        pytest.skip(reason)
    assert SAYS[name] in "\n".join(hangs.run(name, hanging))
