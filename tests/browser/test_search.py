"""The search: what readers type leads to what helps."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect
from playwright.sync_api import TimeoutError as Timeout

import process_terminate
from reading import error_messages, linked_examples

FOLDER = Path(__file__).parent
#: In the two themes: what opens the search, its input, and its results.
OPENER = ".md-search__input, .md-search__button"
INPUT = ".md-search__input, dialog input"
FOUND = ".md-search-result__item > .md-search-result__link, dialog [role=option]"
NOTHING = "#nothing-found"
NAMES = [*process_terminate.__all__, *(f"{n}()" for n in process_terminate.__all__)]


def queries(name: str) -> list[tuple[str, list[str]]]:
    """Return the queries of a file, each with the pages that help."""
    lines = (FOLDER / name).read_text("utf-8").splitlines()
    pairs = [line.rpartition(": ")[::2] for line in lines if not line.startswith("#")]
    return [(query, pages.split(" | ")) for query, pages in pairs]


def messages() -> list[tuple[str, list[str]]]:
    """Return each message on a page of errors, plain and quoted, with its pages."""
    found = []
    for page, message, below in error_messages():
        names = [name for tag in below for name in linked_examples(tag)]
        wanted = [page.address, *(f"examples/{name}/" for name in names)]
        found += [(message, wanted), (f'"{message}"', wanted)]
    return found


def found(page: Page, query: str) -> list[str]:
    """Return the paths of the first three pages that the search finds."""
    # Material reacts to keys, not to changes.
    page.fill(INPUT, "")
    page.press(INPUT, "End")
    expect(page.locator(FOUND)).to_have_count(0)
    page.fill(INPUT, query)
    page.press(INPUT, "End")
    try:
        page.locator(f"{FOUND}, {NOTHING}:visible").first.wait_for(state="attached")
    except Timeout:  # Zensical shows no list if nothing is found.
        return []
    paths = page.locator(FOUND).evaluate_all("links => links.map(l => l.pathname)")
    return [path.lstrip("/") for path in dict.fromkeys(paths)][:3]


def missed(
    page: Page, asked: Iterable[tuple[str, list[str]]], first: int = 3
) -> list[str]:
    """Return the queries whose pages are not among the first ones found."""
    misses = []
    for query, wanted in asked:
        paths = found(page, query)[:first]
        if not set(wanted) & set(paths):
            misses.append(f"{query}: none of {wanted} is in {paths}")
    return misses


@pytest.fixture(scope="module")
def index(browser: Browser, base: str) -> Iterator[Page]:
    """A page with an open search that reads its index once, which takes seconds."""
    page = browser.new_page()
    page.goto(base)
    page.click(OPENER)
    yield page
    page.close()


@pytest.fixture
def search(page: Page, base: str) -> Page:
    """A page with an open search."""
    page.goto(base)
    page.click(OPENER)
    return page


@pytest.mark.parametrize("name", ["queries.txt", "held_out.txt"])
def test_queries_find_a_page_that_helps(
    index: Page, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = queries(name)
    misses = missed(index, asked)
    with capsys.disabled():
        print(f"\n{name}: {len(asked) - len(misses)} of {len(asked)} among three")  # noqa: T201
    assert len(asked) >= 40
    # Tune to no list: the second one only measures.
    assert len(misses) <= len(asked) / 10, "\n".join(misses)


def test_queries_find_a_page_that_helps_with_zensical(
    page: Page, zensical_base: str
) -> None:
    page.goto(zensical_base)
    page.click(OPENER)
    assert found(page, "zombie")  # Now it has read its index.
    page.set_default_timeout(2_000)
    asked = queries("queries.txt")[::3]  # Each one that finds nothing takes 2 s.
    misses = missed(page, asked)
    assert len(misses) <= len(asked) / 2, "\n".join(misses)


def test_no_number_breaks_the_search(index: Page) -> None:
    """The theme's own lunr fails for some, depending on what the pages say."""
    warnings: list[str] = []
    index.on("console", lambda message: warnings.append(message.text))
    for number in range(10):
        assert found(index, f"exit code {number}")
    assert warnings == []


def test_error_message_finds_its_page_even_in_quotes(index: Page) -> None:
    asked = messages()
    assert len(asked) > 50
    assert missed(index, asked) == []


def test_public_name_finds_its_reference_page_first(index: Page) -> None:
    asked = [(name, [f"reference/{name.strip('()')}/"]) for name in NAMES]
    assert missed(index, asked, first=1) == []


def test_nothing_found_offers_pages(search: Page) -> None:
    assert found(search, "xylophone") == []
    links = search.locator(f"{NOTHING} a")
    expect(links).to_have_count(3)
    links.nth(1).click()
    search.wait_for_url("**/errors/")


def test_query_is_still_there_after_going_back(search: Page) -> None:
    found(search, "zombie")
    for _ in range(2):  # The theme forgets it once the search is closed.
        search.locator(FOUND).first.click()
        # No longer the first page.
        expect(search.locator("h1")).not_to_contain_text("How to stop a Python")
        search.go_back()
        expect(search.locator(INPUT)).to_have_value("zombie")
        expect(search.locator(FOUND).first).to_be_visible()


def test_query_is_marked_on_the_page_that_it_found_and_no_host_gets_it(
    search: Page,
) -> None:
    urls: list[str] = []
    search.on("request", lambda request: urls.append(request.url))
    found(search, "xylophone zombies")
    search.locator(FOUND).first.click()
    mark = search.locator("article mark").first
    expect(mark).to_have_text(re.compile("zombie", re.I))
    expect(mark).to_be_visible()
    search.go_back()
    expect(search.locator(FOUND).first).to_be_visible()
    assert urls
    assert [url for url in urls if "xylophone" in url] == []


def test_search_suggests_the_rest_of_a_word(search: Page) -> None:
    search.keyboard.type("zomb")
    rest = re.compile("^zombies?$")
    expect(search.locator(".md-search__suggest")).to_have_text(rest)
    search.keyboard.press("ArrowRight")
    expect(search.locator(INPUT)).to_have_value(rest)


def test_search_works_with_keys_alone(page: Page, base: str) -> None:
    page.goto(base)
    page.keyboard.press("/")
    page.keyboard.type("zombie")
    page.wait_for_selector(FOUND)
    page.keyboard.press("ArrowDown")
    chosen = page.evaluate("document.activeElement.pathname")
    page.keyboard.press("Enter")
    # The words to mark are in the URL only until the page has started.
    page.wait_for_url(lambda url: urlsplit(url).path == chosen)


def test_three_results_fit_a_phone(page: Page, base: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(base)
    page.click("header label[for=__search]")
    page.keyboard.type("kill child processes")
    expect(page.locator(FOUND).nth(2)).to_be_in_viewport()
