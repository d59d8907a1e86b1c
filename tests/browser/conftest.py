"""What the tests in a browser share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from browser.hosting import serve
from evidence import pages
from evidence.paths import DOCS

#: Pages that embed what no other page of their folder does.
OWN_KIND = [
    "/no-such-page",
    "/examples/",
    "/evidence/survivors/",
    "/evidence/howoften/",
]


def kinds() -> list[str]:
    """Return the paths of one page of each kind: the longest page of each folder."""
    longest: dict[str, pages.Page] = {}
    # Another test names a page of the nav that is missing.
    found = [page for page in pages.in_order() if (DOCS / page.path).exists()]
    for page in sorted(found, key=lambda page: len(page.source)):
        longest[page.path.partition("/")[0]] = page
    return [*OWN_KIND, *(f"/{page.address}" for page in longest.values())]


#: On a busy machine the search takes some seconds to read its index.
PATIENCE = 20_000
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def base(site: Path) -> Iterator[str]:
    """The URL of the site that MkDocs built, served with its own headers."""
    with serve(site) as url:
        yield url


@pytest.fixture(scope="session")
def zensical_base(zensical_site: Path) -> Iterator[str]:
    """The URL of the site that Zensical built."""
    with serve(zensical_site) as url:
        yield url


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A reader who was never here before."""
    new = browser.new_context(viewport={"width": 1280, "height": 800})
    new.set_default_timeout(PATIENCE)
    yield new
    new.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """An empty page."""
    return context.new_page()
