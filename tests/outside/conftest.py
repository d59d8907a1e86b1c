"""The Python that stops real programs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from evidence import installed


@pytest.fixture(scope="session")
def python() -> Iterator[Path]:
    """The Python of an environment that has the wheel and not the project."""
    try:
        with installed.environment() as found:
            yield found
    except installed.UnavailableError as error:
        pytest.skip(f"the environment cannot be made: {error}")
