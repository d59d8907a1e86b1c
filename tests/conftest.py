"""What holds for the whole run."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from evidence.examples import ROOT


def pytest_configure() -> None:
    """Hear Ctrl-C, and let all hear it that the tests start.

    A background job of a shell ignores it from birth, and so do its children.
    """
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as `make site` builds it, with every warning an error."""
    folder = tmp_path_factory.mktemp("site")
    build = ["-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    for command in (build, ["tools/finish.py", str(folder)]):
        done = subprocess.run(
            [sys.executable, *command],
            cwd=ROOT,
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
    return folder
