"""What the tests of the built site share."""

from pathlib import Path
from urllib.parse import urljoin

import pytest
from lxml.html import HtmlElement

from evidence.publish.markup import file
from helpers import BASE


@pytest.fixture(scope="session", params=["site", "zensical_site"])
def each_site(request: pytest.FixtureRequest) -> Path:
    """The site, built by MkDocs and by Zensical."""
    site: Path = request.getfixturevalue(request.param)
    return site


@pytest.fixture(scope="session")
def trees(each_site: Path) -> dict[str, HtmlElement]:
    """Each page of that site by its URL."""
    return {
        url_of(path, each_site): file.read(path) for path in each_site.rglob("*.html")
    }


def url_of(path: Path, site: Path) -> str:
    """Return the URL of a file in the site."""
    return urljoin(BASE, path.relative_to(site).as_posix().removesuffix("index.html"))


@pytest.fixture(scope="session")
def anchors(site: Path) -> set[str]:
    """The URLs of the pages that MkDocs built, and of all anchors on them."""
    found = set()
    for path in site.rglob("index.html"):
        url = url_of(path, site)
        names = file.read(path).xpath("//article//@id")
        found |= {url, *(f"{url}#{name}" for name in names)}
    return found
