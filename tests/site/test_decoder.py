"""The page that decodes exit codes says what ExitStatus says."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from evidence import examples, pages
from evidence.paths import DOCS
from evidence.render import decoder
from process_terminate import ExitStatus
from process_terminate._exit_status import ORIGINS

ROWS = list(decoder.rows())


def test_each_origin_that_the_library_knows_has_a_row() -> None:
    codes = {row.code: row.meaning for row in ROWS if row.place != "shell"}
    assert all(origin in codes[code] for code, origin in ORIGINS.items())


def test_number_has_one_row_in_one_place() -> None:
    places = [(row.place, row.code) for row in ROWS]
    assert len(places) == len(set(places))


def test_row_of_a_shell_is_read_as_a_shell_shows_it() -> None:
    meanings = {(row.place, row.code): row.meaning for row in ROWS}
    assert meanings["shell", 143] == str(ExitStatus(-15))
    assert meanings["Python", 143] == str(ExitStatus(143))


def test_example_of_a_row_prints_the_number() -> None:
    outputs = {example.name: example.output for example in examples.find()}
    for row in ROWS:
        if row.example:
            printed = " ".join(outputs[row.example]).replace(",", " ")
            words = [word.strip(".:;()[]") for word in printed.split()]
            assert str(row.code) in words, row


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    """The page with its script in a browser, the field reached by the Tab key."""
    body = pages.Page("decoder.md").body
    table = decoder.files()["decoder.html"]
    assert body.count('--8<-- "decoder.html"') == body.count("assets/decoder.js") == 1
    body = body.replace('--8<-- "decoder.html"', table)
    page = browser.new_page()
    page.set_content(body.replace("../assets/decoder.js", "data:,"))
    page.add_script_tag(path=DOCS / "assets" / "decoder.js")
    page.keyboard.press("Tab")
    yield page
    page.close()


def ask(page: Page, number: str) -> str:
    """Type a number, and nothing else, where the keyboard is; read the answer."""
    page.keyboard.press("Control+A")
    page.keyboard.press("Delete")
    page.keyboard.type(number)
    return page.text_content("#decoder output") or ""


def shown(page: Page) -> int:
    """Return how many rows of the table can be seen."""
    return page.locator("#exit-codes tr:not([hidden])").count()


@pytest.mark.parametrize("text", ["-15", "0", "143", "0x10000", "0xC000013A"])
def test_script_answers_with_all_rows_of_a_number(page: Page, text: str) -> None:
    meanings = [row.meaning for row in ROWS if row.code == int(text, 0)]
    answer = ask(page, text)
    assert [meaning for meaning in meanings if meaning not in answer] == []
    assert answer.count("\n") == len(meanings) - 1
    assert shown(page) == len(meanings)
    page.keyboard.press("Escape")  # Shows the whole table again.
    assert page.text_content("#decoder output") == ""
    assert shown(page) == len(ROWS)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("-1073741510", "Ctrl-C"),  # 0xC000013A with a sign.
        ("\u221215", "SIGTERM"),  # A minus, as in prose.
        ("-34", "killed by signal 34, a real-time signal; a shell shows 162"),
        ("162", "Or a shell shows a death by signal 34"),
        ("77", "The program chose this number itself: sys.exit(77)."),
        ("256", "No process leaves this number on POSIX"),
        ("4294967296", "No process leaves this number."),
        ("nonsense", "That is no number."),
    ],
)
def test_script_answers_what_has_no_row(page: Page, text: str, answer: str) -> None:
    assert answer in ask(page, text)
