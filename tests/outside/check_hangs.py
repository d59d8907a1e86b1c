"""Make real programs hang and diagnose them; run by `make outside`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from evidence import installed
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
def python() -> Iterator[Path]:
    """Return the Python of an environment with the wheel and the programs."""
    try:
        with installed.environment() as found:
            hangs.install(found)
            yield found
    except installed.UnavailableError as error:
        pytest.skip(f"the environment cannot be made: {error}")


@pytest.mark.parametrize("name", hangs.HANGS)
def test_diagnose_says_why_a_real_program_hangs(name: str, python: Path) -> None:
    if reason := hangs.why_not(name):
        pytest.skip(reason)
    assert SAYS[name] in "\n".join(hangs.run(name, python))
