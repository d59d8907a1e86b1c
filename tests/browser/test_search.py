"""The search: what readers type leads to what helps."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

QUERIES = [
    line.rpartition(": ")[::2]
    for line in Path(__file__).with_name("queries.txt").read_text("utf-8").splitlines()
    if not line.startswith("#")
]
#: In the two themes: what opens the search, its input, and its results.
OPENER = ".md-search__input, .md-search__button"
INPUT = ".md-search__input, dialog input"
FOUND = ".md-search-result__item > .md-search-result__link, dialog [role=option]"


def found(page: Page, query: str) -> list[str]:
    """Return the paths of the first three pages that the search finds."""
    page.fill(INPUT, "")
    expect(page.locator(FOUND)).to_have_count(0)
    page.fill(INPUT, query)
    # Material reacts to keys, not to changes.
    page.press(INPUT, "End")
    page.locator(FOUND).first.wait_for(state="attached")
    paths = page.locator(FOUND).evaluate_all("links => links.map(l => l.pathname)")
    return [path.lstrip("/") for path in dict.fromkeys(paths)][:3]


@pytest.mark.parametrize(("builder", "misses"), [("base", 2), ("zensical_base", 12)])
def test_queries_find_the_page_that_helps(
    page: Page, builder: str, misses: int, request: pytest.FixtureRequest
) -> None:
    page.goto(request.getfixturevalue(builder))
    page.click(OPENER)
    missed = []
    for query, wanted in QUERIES:
        paths = found(page, query)
        if wanted not in paths:
            missed.append(f"{query}: {wanted} is not in {paths}")
    assert len(QUERIES) >= 40
    assert len(missed) <= misses, "\n".join(missed)


def test_search_works_with_keys_alone(page: Page, base: str) -> None:
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


def test_three_results_fit_a_phone(page: Page, base: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(base)
    page.click("header label[for=__search]")
    page.keyboard.type("kill child processes")
    expect(page.locator(FOUND).nth(2)).to_be_in_viewport()
