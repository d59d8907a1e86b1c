"""Fixtures and hooks for all tests."""

import importlib.util
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest
from filelock import FileLock

import fixes
from copies import Copy
from evidence.measure import leftovers

if TYPE_CHECKING:
    from playwright.sync_api import Browser

#: The first is Chromium without windows, at half the cost.
BROWSERS = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "chrome",
)
#: The browser connects to no host but the site's.
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_configure() -> None:
    """Handle SIGINT and SIGQUIT, which a shell's background job ignores."""
    handlers: dict[str, Any] = {
        "SIGINT": signal.default_int_handler,
        "SIGQUIT": signal.SIG_DFL,
    }
    for name, handler in handlers.items():
        number = getattr(signal, name, None)  # Windows has no SIGQUIT.
        if number and signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, handler)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name each failed check and the command that fixes it."""
    stats = terminalreporter.stats
    failed = [*stats.get("failed", []), *stats.get("error", [])]
    for line in fixes.lines(report.nodeid for report in failed):
        terminalreporter.write_line(line)


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[Copy]:
    """A copy of the project; the test fails if a process of it is left."""
    with leftovers.ended() as left:
        yield Copy(tmp_path)
    assert left == []


def skip_or_fail(reason: str) -> None:
    """Skip the test where a tool is missing, but fail in CI."""
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)


def built_once(
    factory: pytest.TempPathFactory, name: str, builder: Literal["mkdocs", "zensical"]
) -> Path:
    """Return a finished site, which the first worker that needs it builds for all."""
    # These take a second to import, which most tests do not need.
    from evidence.publish import finish  # noqa: PLC0415
    from helpers import BASE  # noqa: PLC0415

    folder = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    # tools/test.py names one for all its runs.
    built = Path(os.environ.get("SITES", folder)) / name
    failed = Path(f"{built}.failed")
    with FileLock(f"{built}.lock", timeout=600), pytest.MonkeyPatch.context() as patch:
        # As the workflow builds it: the theme does more then.
        patch.setenv("REPO_URL", "https://github.com/example/process-terminate")
        patch.setenv("EDIT_URI", "edit/main/docs/")
        if failed.exists():  # No worker tries again.
            pytest.fail("the site could not be built: see the first error", False)
        if not built.exists():
            unfinished = factory.mktemp(name) / "site"
            failed.touch()
            finish.build(unfinished, BASE, builder)
            failed.unlink()
            unfinished.rename(built)  # A finished site is there, or none.
    return built


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published site: built by MkDocs, then finished."""
    return built_once(tmp_path_factory, "site", "mkdocs")


@pytest.fixture(scope="session")
def zensical_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same site, built by Zensical, then finished."""
    if importlib.util.find_spec("zensical") is None:
        skip_or_fail("Zensical is not installed; run tools/setup.py check")
    return built_once(tmp_path_factory, "zensical_site", "zensical")


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """The system's Chromium; `CHROMIUM` names another."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    found = os.environ.get("CHROMIUM") or next(
        filter(None, map(shutil.which, BROWSERS)), ""
    )
    if not found:
        skip_or_fail(
            "there is no Chromium; on Debian: apt install chromium-headless-shell, "
            "elsewhere Chromium or Chrome"
        )
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=found, args=OPTIONS)
        yield running
        running.close()
