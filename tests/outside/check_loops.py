"""Stop processes on the event loops that the documentation names; run by `make outside`."""

from pathlib import Path

import pytest

from evidence import installed

LOOPS = Path(__file__).with_name("loops.py")
NAMES = ["asyncio", "uvloop", "anyio", "anyio on uvloop", "anyio cancels", "trio"]


@pytest.mark.parametrize("name", NAMES)
def test_processes_are_stopped_on_other_loops(name: str, python: Path) -> None:
    ran = installed.run([python, LOOPS, name])
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == ""
