"""What a page costs its reader."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page

from browser.hosting import compressed

#: KB that a page may cost at the first visit. Zensical's script is 22 KB larger.
BUDGETS = {"site": 85, "zensical_site": 110}
REQUESTS = 8


def heaviest(site: Path) -> str:
    """Return the path of the page whose HTML is largest; all load the same files."""
    page = max(site.rglob("index.html"), key=lambda page: len(compressed(page)))
    return f"/{page.parent.relative_to(site).as_posix()}/"


@pytest.mark.parametrize("builder", BUDGETS)
@pytest.mark.parametrize("path", ["/", "/examples/stop/escalate_to_kill/", "heaviest"])
def test_first_visit_is_light_and_moves_nothing(
    context: BrowserContext,
    page: Page,
    path: str,
    builder: str,
    request: pytest.FixtureRequest,
) -> None:
    base = request.getfixturevalue(builder.replace("site", "base"))
    if path == "heaviest":
        path = heaviest(request.getfixturevalue(builder))
    wire = context.new_cdp_session(page)
    wire.send("Network.enable")
    sizes: list[float] = []
    wire.on("Network.loadingFinished", lambda e: sizes.append(e["encodedDataLength"]))
    paths: list[str] = []
    page.on("request", lambda r: paths.append(urlsplit(r.url).path))
    page.add_init_script(
        "window.moved = 0; new PerformanceObserver((list) => {"
        "for (const e of list.getEntries()) moved += e.value})"
        ".observe({type: 'layout-shift', buffered: true})"
    )
    page.goto(base + path, wait_until="networkidle")
    assert sum(sizes) < BUDGETS[builder] * 1024, path
    assert len(paths) <= REQUESTS, paths
    assert not [path for path in paths if "search" in path]
    assert page.evaluate("moved") == 0
    with page.expect_response(lambda answer: "search" in answer.url):
        page.focus(".md-search input, .md-search__button")
