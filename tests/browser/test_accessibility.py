"""Every kind of page for all readers: WCAG 2.2 AA, as far as axe can tell."""

from collections.abc import Iterator
from importlib.resources import files
from itertools import pairwise
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page

#: In the dark only the colors differ.
RULES: dict[Literal["light", "dark"], list[str]] = {
    "light": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    "dark": ["color-contrast"],
}
#: One page of each kind.
KINDS = [
    "/",
    "/no-such-page",
    "/examples/",
    "/examples/stop/",
    "/examples/stop/escalate_to_kill/",
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
#: The most elements that Tab can reach on a page: those of the table of all examples.
STOPS = 2000


@pytest.fixture(scope="session")
def axe() -> str:
    """The script of axe, which a package contains."""
    return files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")


@pytest.fixture(scope="module")
def reader(browser: Browser) -> Iterator[Page]:
    """One page that visits all kinds: a new one would take three times as long."""
    context = browser.new_context(reduced_motion="reduce", bypass_csp=True)
    yield context.new_page()
    context.close()


def visit(page: Page, url: str, width: int) -> Page:
    """Go to a URL, and wait until the scripts of the page have run."""
    page.set_viewport_size({"width": width, "height": 844})
    page.emulate_media(color_scheme="light")  # Not the dark of the page before.
    page.goto(url)
    page.wait_for_selector("html.js")
    return page


def violations(page: Page, axe: str) -> list[str]:
    """Return what axe finds on a page in light and in dark."""
    # The rows of a table are alike, and axe needs long for each cell.
    page.evaluate(
        "document.querySelectorAll('tbody tr:nth-child(n+7)').forEach(e => e.remove())"
    )
    page.evaluate(axe)
    found = []
    for scheme, rules in RULES.items():
        page.emulate_media(color_scheme=scheme)
        result = page.evaluate(
            "rules => axe.run({runOnly: rules, resultTypes: ['violations']})", rules
        )
        found += [
            f"{scheme}: {rule['id']} {node['target']}"
            for rule in result["violations"]
            for node in rule["nodes"]
        ]
    return found


@pytest.mark.parametrize("path", KINDS)
def test_page_has_headings_in_order(path: str, reader: Page, base: str) -> None:
    levels = visit(reader, base + path, 1280).eval_on_selector_all(
        ".md-content :is(h1,h2,h3,h4,h5,h6)", "all => all.map(h => +h.tagName[1])"
    )
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


@pytest.mark.parametrize("path", KINDS)
def test_tab_reaches_the_whole_page_and_shows_the_focus(
    path: str, reader: Page, base: str, axe: str
) -> None:
    """Then axe looks at the page: having had the focus must not change a link."""
    page = visit(reader, base + path, 1280)
    page.evaluate(
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
            page.keyboard.press("Tab")
        if page.evaluate("round"):
            break
    else:
        pytest.fail("Tab never comes back to the first element")
    stops = page.evaluate("stops")
    assert [stop for stop, seen in stops if not seen] == []
    assert any("md-footer" in stop for stop, _ in stops) or path == "/no-such-page"
    assert violations(page, axe) == []


@pytest.mark.parametrize("path", KINDS)
def test_page_on_a_phone_breaks_no_rule(
    path: str, reader: Page, base: str, axe: str
) -> None:
    assert violations(visit(reader, base + path, 390), axe) == []


def test_code_that_begins_to_scroll_becomes_focusable(page: Page, base: str) -> None:
    """As on a phone that is turned."""
    page.set_viewport_size({"width": 1280, "height": 844})
    page.goto(f"{base}/contributing/")
    wide = page.locator("pre > code[tabindex]").count()
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function(
        "[...document.querySelectorAll('pre > code')].every(code =>"
        "  code.hasAttribute('tabindex') == (code.scrollWidth > code.clientWidth))"
    )
    assert page.locator("pre > code[tabindex]").count() > wide


def test_nothing_moves_for_a_reader_who_asks_for_less_motion(
    reader: Page, base: str
) -> None:
    longest = visit(reader, base, 1280).evaluate(
        "Math.max(...[...document.querySelectorAll('*')].map("
        "e => parseFloat(getComputedStyle(e).transitionDuration)))"
    )
    assert longest < 0.01
