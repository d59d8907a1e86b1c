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

from evidence.paths import ROOT

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
def reader(browser: Browser) -> Iterator[Page]:
    """A page for all kinds, one after the other.

    A reader who was never here would cost three times as much as what he reads.
    """
    context = browser.new_context(reduced_motion="reduce", bypass_csp=True)
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module", params=KINDS)
def path(request: pytest.FixtureRequest) -> str:
    """A page of each kind; the tests that look at it on a desk see it one by one."""
    kind: str = request.param
    return kind


def visit(page: Page, address: str, width: int) -> Page:
    """Go there, and wait until its scripts have done what they do."""
    page.set_viewport_size({"width": width, "height": 844})
    page.emulate_media(color_scheme="light")  # Not the dark of the page before.
    page.goto(address)
    page.wait_for_selector("html.js")
    return page


@pytest.fixture(scope="module")
def desk(path: str, reader: Page, base: str) -> Page:
    """The page on a desk: for its tests in turn, the last of which changes it."""
    return visit(reader, base + path, 1280)


@pytest.fixture
def phone(path: str, reader: Page, base: str) -> Page:
    """The page on a phone."""
    return visit(reader, base + path, 390)


def test_headings_are_in_order(desk: Page) -> None:
    """One first heading, and no level is left out."""
    levels = desk.eval_on_selector_all(
        ".md-content :is(h1,h2,h3,h4,h5,h6)", "all => all.map(h => +h.tagName[1])"
    )
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_keys_reach_all_and_show_where_they_are(path: str, desk: Page) -> None:
    """Tab walks through the whole page, and each stop is seen."""
    desk.evaluate(
        "window.stops = []; window.round = false; let first;"
        "document.addEventListener('focusin', ({target: e}) => {"
        "round ||= e === first; first ??= e;"
        "if (round) return;"
        "const seen = getComputedStyle(e).outlineStyle !== 'none';"
        "stops.push([e.outerHTML.slice(0, 80), seen || e.matches('.md-search__input')])"
        "})"
    )
    for _ in range(STOPS // 10):
        for _ in range(10):
            desk.keyboard.press("Tab")
        if desk.evaluate("round"):
            break
    else:
        pytest.fail("the focus never comes round")
    found = desk.evaluate("stops")
    assert [stop for stop, seen in found if not seen] == []
    assert any("md-footer" in stop for stop, _ in found) or path == "/no-such-page"


def broken_rules(page: Page, axe: str) -> list[str]:
    """What axe finds on a page, in light and in dark."""
    # Rows are alike, and axe takes its time for each cell.
    page.evaluate(
        "document.querySelectorAll('tbody tr:nth-child(n+7)').forEach(e => e.remove())"
    )
    page.evaluate(axe)
    broken = []
    for scheme, rules in RULES.items():
        page.emulate_media(color_scheme=scheme)
        found = page.evaluate(
            "rules => axe.run({runOnly: rules, resultTypes: ['violations']})", rules
        )
        broken += [
            f"{scheme}: {rule['id']} {node['target']}"
            for rule in found["violations"]
            for node in rule["nodes"]
        ]
    return broken


def test_page_on_a_desk_breaks_no_rule(desk: Page, axe: str) -> None:
    """After a walk by keys, which must not change what a link looks like."""
    assert broken_rules(desk, axe) == []


def test_page_on_a_phone_breaks_no_rule(phone: Page, axe: str) -> None:
    """Where less is shown, in other places."""
    assert broken_rules(phone, axe) == []


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
