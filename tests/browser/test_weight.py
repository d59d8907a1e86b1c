"""What a page costs its reader."""

import gzip
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page

KB = 1024


def test_pages_are_small(site: Path) -> None:
    """Each with its timeline and its table: 12 KB at most, compressed."""
    sizes = {
        path.relative_to(site).as_posix(): len(gzip.compress(path.read_bytes(), 9))
        for path in site.rglob("*.html")
    }
    assert {p: n for p, n in sizes.items() if n > 12 * KB} == {}


@pytest.mark.parametrize(
    "path", ["/", "/examples/terminate/escalate_to_kill/", "/reference/terminate/"]
)
def test_cold_page_is_light(
    context: BrowserContext, page: Page, base: str, path: str
) -> None:
    """At most 80 KB and 6 requests, nothing of the search, and nothing moves."""
    wire = context.new_cdp_session(page)
    wire.send("Network.enable")
    asked: list[str] = []
    sizes: list[float] = []

    def note(event: dict[str, Any]) -> None:
        url = urlsplit(event["request"]["url"])
        if url.scheme != "data":
            asked.append(url.path)

    wire.on("Network.requestWillBeSent", note)
    wire.on("Network.loadingFinished", lambda e: sizes.append(e["encodedDataLength"]))
    page.add_init_script(
        "window.moved = 0; new PerformanceObserver((list) => {"
        "for (const e of list.getEntries()) moved += e.value})"
        ".observe({type: 'layout-shift', buffered: true})"
    )
    page.goto(base + path, wait_until="networkidle")
    assert sum(sizes) <= 80 * KB
    assert len(asked) <= 6, asked
    assert not [path for path in asked if "search" in path]
    assert page.evaluate("moved") == 0
    # And it comes when it is called.
    with page.expect_response("**/search_index.json"):
        page.focus(".md-search__input")


@pytest.mark.parametrize(
    "path", ["/", "/examples/terminate/escalate_to_kill/", "/reference/terminate/"]
)
def test_page_is_styled_once(
    context: BrowserContext, page: Page, base: str, path: str
) -> None:
    """Its elements, and some of them again: not each time that a script does something."""
    browser = context.browser
    assert browser
    browser.start_tracing(page=page, categories=["devtools.timeline"])
    page.goto(base + path, wait_until="networkidle")
    elements = page.evaluate("document.querySelectorAll('*').length")
    events = json.loads(browser.stop_tracing())["traceEvents"]
    styled = sum(
        event["args"].get("elementCount", 0)
        for event in events
        if event["name"] == "UpdateLayoutTree"
    )
    assert elements / 5 < styled < 1.5 * elements


def test_no_file_is_for_nobody(site: Path) -> None:
    """No source maps, no languages that the search does not speak."""
    assert [*site.rglob("*.map"), *site.rglob("lunr*")] == []
