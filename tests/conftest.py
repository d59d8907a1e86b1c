"""What holds for the whole run."""

import gc
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from filelock import FileLock
from playwright.sync_api import Browser, sync_playwright

import checks

#: The first is the same Chromium without windows, at half the cost.
NAMES = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "chrome",
)
#: A browser of its own: it speaks to no host but the one of the site.
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_configure() -> None:
    """Hear Ctrl-C, and let all hear it that the tests start.

    A background job of a shell ignores it from birth, and so do its children.
    """
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)  # Then "-m browser" can choose them.
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that a browser looks at."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")


def pytest_collection_finish() -> None:
    """Leave what is there by now out of the garbage collections.

    Each test that starts processes ends with one, which goes through all objects:
    a tenth of a second for those of pytest and its plugins.
    """
    gc.collect()
    gc.freeze()


class NotHere(pytest.Module):
    """A file that is skipped unread: its imports alone would fail."""

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        """Say why."""
        reason = checks.NOT_THERE[sys.platform][self.path.stem]
        raise pytest.skip.Exception(reason, allow_module_level=True)


def pytest_pycollect_makemodule(
    module_path: Path, parent: pytest.Collector
) -> pytest.Module | None:
    """Skip what this platform cannot run."""
    if module_path.stem in checks.NOT_THERE.get(sys.platform, {}):
        return NotHere.from_parent(parent, path=module_path)
    return None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the checks that fail, each with what mends it."""
    stats = terminalreporter.stats
    failed = [*stats.get("failed", []), *stats.get("error", [])]
    for line in checks.failing(report.nodeid for report in failed):
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as it is published, at an address of its own.

    The shares of `make test` have one together, which the first to need it builds.
    """
    # Not for every test: it brings MkDocs with it, which takes a second.
    from evidence.publish import finish as publish  # noqa: PLC0415
    from helpers import BASE  # noqa: PLC0415

    shared = os.environ.get("TESTS_SHARE")
    folder = Path(shared) if shared else tmp_path_factory.mktemp("shared")
    with FileLock(folder / "lock"):
        if not (folder / "site").exists():
            publish.build(folder / "unfinished", BASE)
            (folder / "unfinished").rename(folder / "site")
    return folder / "site"


def scope_of_browser(
    fixture_name: str, config: pytest.Config
) -> Literal["session", "module"]:
    """For a module, not for all: beside its threads `stop_tree()` adopts no orphans.

    Where only tests with a browser run, one is enough.
    """
    alone = config.getoption("markexpr") == fixture_name
    return "session" if alone else "module"


@pytest.fixture(scope=scope_of_browser)
def browser() -> Iterator[Browser]:
    """The system's Chromium; `CHROMIUM` names another."""
    found = os.environ.get("CHROMIUM") or next(
        filter(None, map(shutil.which, NAMES)), ""
    )
    if not found:
        why_not = (
            "there is no Chromium; on Debian: apt install chromium-headless-shell, "
            "elsewhere Chromium or Chrome"
        )
        if os.environ.get("CI") == "true":
            pytest.fail(why_not)
        pytest.skip(why_not)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=found, args=OPTIONS)
        yield running
        running.close()
