"""What the tests of the tooling share."""

import inspect

import pytest

from evidence.measure import leftovers


@pytest.fixture
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give what a run leaves running 0.2 s to exit, instead of 5 s."""
    ended = inspect.unwrap(leftovers.ended)
    assert ended.__defaults__ == (leftovers.GRACE,)
    monkeypatch.setattr(ended, "__defaults__", (0.2,))
