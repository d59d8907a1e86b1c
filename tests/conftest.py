"""What holds for the whole run."""

import signal
from pathlib import Path

import pytest


def pytest_configure() -> None:
    """Hear Ctrl-C, and let all hear it that the tests start.

    A background job of a shell ignores it from birth, and so do its children.
    """
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as it is published, at an address of its own."""
    # Not for every test: it brings MkDocs with it, which takes a second.
    from evidence import publish  # noqa: PLC0415
    from helpers import BASE  # noqa: PLC0415

    folder = tmp_path_factory.mktemp("site")
    publish.build(folder, BASE)
    return folder
