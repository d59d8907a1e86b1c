"""What the browser looks at."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from browser.hosting import serve


@pytest.fixture(scope="module")
def base(site: Path) -> Iterator[str]:
    """The address of the site, served with its own headers."""
    with serve(site) as address:
        yield address


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A reader who was never here."""
    new = browser.new_context(viewport={"width": 1280, "height": 800})
    new.set_default_timeout(20_000)
    yield new
    new.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """An empty page."""
    return context.new_page()
