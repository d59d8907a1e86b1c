"""Every kind of page for all readers: WCAG 2.2 AA, as far as axe can tell."""

from collections.abc import Iterator
from importlib.resources import files
from itertools import pairwise

import pytest
from playwright.sync_api import Browser, Page

from browser.conftest import kinds

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
#: The most elements that Tab can reach on a page, when its lists are short.
STOPS = 500
#: Rows and items that are like those before them; a page may have hundreds.
ALIKE = "tbody tr:nth-child(n+7), .md-content li:nth-child(n+7)"


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
    """Go to a URL, wait until the scripts have run, and shorten the lists."""
    page.set_viewport_size({"width": width, "height": 844})
    page.emulate_media(color_scheme="light")  # Not the dark of the page before.
    page.goto(url)
    page.wait_for_selector("html.js")
    page.evaluate(
        "alike => document.querySelectorAll(alike).forEach(e => e.remove())", ALIKE
    )
    return page


def violations(page: Page, axe: str, rules: list[str]) -> list[str]:
    """Return what breaks these rules on a page."""
    # The keys have scrolled what scrolls, so that an edge or the header cuts a link.
    page.evaluate(
        "scrollTo(0, 0); document.querySelectorAll('.md-sidebar__scrollwrap')"
        ".forEach(e => e.scrollTo(0, 0))"
    )
    page.evaluate(axe)
    result = page.evaluate(
        "rules => axe.run({runOnly: rules, resultTypes: ['violations']})", rules
    )
    return [
        f"{rule['id']} {node['target']}"
        for rule in result["violations"]
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize("path", kinds())
def test_page_can_be_read_with_keys_and_by_headings(
    path: str, reader: Page, base: str, axe: str
) -> None:
    """At the end axe looks at the page: having had the focus must not change a link."""
    page = visit(reader, base + path, 1280)
    levels = page.eval_on_selector_all(
        ".md-content :is(h1,h2,h3,h4,h5,h6)", "all => all.map(h => +h.tagName[1])"
    )
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
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
    reached = any("md-footer" in stop for stop, _ in stops)
    assert reached or not page.locator(".md-footer__link").count()
    assert violations(page, axe, RULES) == []


@pytest.mark.parametrize("path", kinds())
def test_page_on_a_phone_breaks_no_rule_even_in_the_dark(
    path: str, reader: Page, base: str, axe: str
) -> None:
    page = visit(reader, base + path, 390)
    assert violations(page, axe, RULES) == []
    page.emulate_media(color_scheme="dark")  # Where only the colors differ.
    assert violations(page, axe, ["color-contrast"]) == []


def test_code_is_focusable_as_long_as_it_scrolls(page: Page, base: str) -> None:
    """On a phone it wraps."""
    page.set_viewport_size({"width": 1280, "height": 844})
    page.goto(f"{base}/examples/stop/escalate_to_kill/")  # The front page wraps it.
    page.evaluate("document.querySelector('pre > code').append('x'.repeat(200))")
    for width, scrolls in ((1000, True), (390, False)):
        page.set_viewport_size({"width": width, "height": 844})
        page.wait_for_function(
            "scrolls => scrolls == !!document.querySelector('pre > code[tabindex]')",
            arg=scrolls,
        )


def test_nothing_moves_for_a_reader_who_asks_for_less_motion(
    reader: Page, base: str
) -> None:
    longest = visit(reader, base, 1280).evaluate(
        "Math.max(...[...document.querySelectorAll('*')].map("
        "e => parseFloat(getComputedStyle(e).transitionDuration)))"
    )
    assert longest < 0.01
