"""Every kind of page, for all readers: WCAG 2.2 AA, as far as axe can tell."""

import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page

from evidence.examples import ROOT

PINS = Path(__file__).with_name("axe.txt")
CACHE = ROOT / ".cache" / "axe"
#: In the dark only colours are others.
RULES: dict[Literal["light", "dark"], list[str]] = {
    "light": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    "dark": ["color-contrast"],
}
#: One page of each kind.
KINDS = [
    "/",
    "/no-such-page",
    "/examples/",
    "/examples/terminate/",
    "/examples/terminate/escalate_to_kill/",
    "/reference/stop/",
    "/decoder/",
    "/errors/",
    "/glossary/",
    "/evidence/",
    "/evidence/survivors/",
    "/evidence/howoften/",
    "/evidence/method/",
    "/guides/pools/",
    "/guides/real_programs/",
    "/explanation/start_methods/",
    "/choose/",
    "/corrections/",
    "/contributing/checks/",
]
#: The most places that a key can come to on a page: a table of all examples.
STOPS = 2000


@pytest.fixture(scope="session")
def axe() -> str:
    """The text of axe, from a package that has it; kept for the next run."""
    if not list(CACHE.glob("*.whl")):
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        options = ["--require-hashes", "-r", str(PINS), "-d", str(CACHE)]
        got = subprocess.run([*command, *options], check=False, capture_output=True)
        if got.returncode and os.environ.get("CI") != "true":
            pytest.skip("axe cannot be had: is the network there?")
        assert got.returncode == 0, got.stderr.decode()
    (wheel,) = CACHE.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return archive.read("axe_playwright_python/axe.min.js").decode()


@pytest.fixture(scope="module")
def examined(browser: Browser) -> Iterator[Page]:
    """A page for all kinds, one after the other.

    A reader who was never here would cost three times as much as what he reads.
    """
    context = browser.new_context(reduced_motion="reduce", bypass_csp=True)
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("path", KINDS)
@pytest.mark.parametrize("width", [390, 1280])
def test_page_breaks_no_rule(
    width: int, path: str, examined: Page, base: str, axe: str
) -> None:
    """In light and in dark, on a phone and on a desk."""
    examined.set_viewport_size({"width": width, "height": 844})
    examined.emulate_media(color_scheme="light")  # Not the dark of the page before.
    examined.goto(base + path)
    examined.wait_for_selector("html.js")
    # Rows are alike, and axe takes its time for each cell.
    examined.evaluate(
        "document.querySelectorAll('tbody tr:nth-child(n+7)').forEach(e => e.remove())"
    )
    examined.evaluate(axe)
    broken = []
    for scheme, rules in RULES.items():
        examined.emulate_media(color_scheme=scheme)
        found = examined.evaluate(
            "rules => axe.run({runOnly: rules, resultTypes: ['violations']})", rules
        )
        broken += [
            f"{scheme}: {rule['id']} {node['target']}"
            for rule in found["violations"]
            for node in rule["nodes"]
        ]
    assert broken == []


def test_boxes_that_come_to_scroll_are_stops(page: Page, base: str) -> None:
    """As on a phone that is turned: those that nobody has seen yet, too."""
    page.set_viewport_size({"width": 1280, "height": 844})
    page.goto(f"{base}/contributing/checks/")
    wide = page.locator("pre > code[tabindex]").count()
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function(
        "[...document.querySelectorAll('pre > code')].every(code =>"
        "  code.hasAttribute('tabindex') == (code.scrollWidth > code.clientWidth))"
    )
    assert page.locator("pre > code[tabindex]").count() > wide


@pytest.mark.parametrize("path", KINDS)
def test_keys_reach_all_and_show_where_they_are(
    path: str, examined: Page, base: str
) -> None:
    """Tab walks through the whole page, and each stop is seen."""
    examined.set_viewport_size({"width": 1280, "height": 844})
    examined.goto(base + path)
    examined.evaluate(
        "window.stops = []; document.addEventListener('focusin', ({target: e}) => {"
        "const seen = getComputedStyle(e).outlineStyle !== 'none';"
        "stops.push([e.outerHTML.slice(0, 80), seen || e.matches('.md-search__input')])"
        "})"
    )
    for _ in range(STOPS):
        examined.keyboard.press("Tab")
        if examined.evaluate("document.activeElement === document.body"):
            break
    else:
        pytest.fail("the focus never comes to the end")
    found = examined.evaluate("stops")
    assert [stop for stop, seen in found if not seen] == []
    assert any("md-footer" in stop for stop, _ in found) or path == "/no-such-page"


def test_headings_are_in_order(examined: Page, base: str) -> None:
    """One first heading, and no level is left out."""
    for path in KINDS:
        examined.goto(base + path)
        levels = examined.eval_on_selector_all(
            ".md-content :is(h1,h2,h3,h4,h5,h6)", "all => all.map(h => +h.tagName[1])"
        )
        assert levels[0] == 1, path
        assert levels.count(1) == 1, path
        steps = pairwise(levels)
        assert all(after <= before + 1 for before, after in steps), path


def test_motion_is_reduced_on_request(browser: Browser, base: str) -> None:
    """Nothing glides for a reader who asked for stillness."""
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.goto(base)
    assert (
        page.evaluate(
            "Math.max(...[...document.querySelectorAll('*')].map("
            "e => parseFloat(getComputedStyle(e).transitionDuration)))"
        )
        < 0.01
    )
    context.close()
