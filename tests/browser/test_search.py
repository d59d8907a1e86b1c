"""The search: what readers type leads to what helps."""

from pathlib import Path

from playwright.sync_api import Page, expect

QUERIES = Path(__file__).with_name("queries.txt")
FOUND = ".md-search-result__item > .md-search-result__link"


def queries() -> list[tuple[str, str]]:
    """Each query, with the page that should come first."""
    lines = QUERIES.read_text("utf-8").splitlines()
    pairs = (line.rpartition(": ") for line in lines if not line.startswith("#"))
    return [(query, wanted) for query, _, wanted in pairs]


def ask(page: Page, query: str) -> list[str]:
    """The first three pages that the search finds."""
    page.fill(".md-search__input", "")
    expect(page.locator(FOUND)).to_have_count(0)
    page.fill(".md-search__input", query)
    # Material reacts to keys, not to changes.
    page.press(".md-search__input", "End")
    page.wait_for_selector(FOUND, state="attached")
    hrefs = page.eval_on_selector_all(FOUND, "links => links.map(l => l.pathname)")
    return [href.lstrip("/") for href in hrefs[:3]]


def test_queries_find_what_helps(page: Page, base: str) -> None:
    """At least 38 of 40 have their page among the first three."""
    page.goto(base)
    page.click(".md-search__input")
    missed = []
    for query, wanted in queries():
        found = ask(page, query)
        if wanted not in found:
            missed.append(f"{query}: {wanted} is not in {found}")
    assert len(queries()) == 40
    assert len(missed) <= 2, "\n".join(missed)


def test_search_needs_no_mouse(page: Page, base: str) -> None:
    """A key opens it, arrows choose, Enter goes there, and Escape closes it."""
    page.goto(base)
    page.keyboard.press("/")
    page.keyboard.type("zombie")
    page.wait_for_selector(FOUND)
    page.keyboard.press("ArrowDown")
    chosen = page.evaluate("document.activeElement.href")
    page.keyboard.press("Enter")
    page.wait_for_url(chosen)
    page.keyboard.press("/")
    expect(page.locator("#__search")).to_be_checked()
    expect(page.locator("input[name=query]")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#__search")).not_to_be_checked()


def test_results_are_short(page: Page, base: str) -> None:
    """Three fit a phone: the code that was found in is not shown."""
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(base)
    page.click("header label[for=__search]")
    page.keyboard.type("kill child processes")
    expect(page.locator(FOUND).nth(2)).to_be_in_viewport()
