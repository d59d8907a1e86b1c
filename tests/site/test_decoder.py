"""The page that decodes exit codes says what ExitStatus says."""

import re
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from evidence import examples
from evidence.render import decoder
from helpers import DOCS
from process_terminate import ExitStatus
from process_terminate._exit_status import ORIGINS

ROWS = list(decoder.rows())


@pytest.mark.skipif(sys.platform != "linux", reason="has the numbers of Linux")
def test_page_is_what_the_library_gives() -> None:
    """Written by `python -m evidence render`."""
    assert decoder.PAGE.read_text("utf-8") == decoder.render()


def test_each_origin_that_the_library_knows_is_there() -> None:
    """In the words of the library."""
    codes = {row.code: row.meaning for row in ROWS if row.place != "shell"}
    assert all(origin in codes[code] for code, origin in ORIGINS.items())


def test_number_means_one_thing_in_one_place() -> None:
    """So a reader gets one row, if he says where he saw it."""
    places = [(row.place, row.code) for row in ROWS]
    assert len(places) == len(set(places))


def test_shell_row_is_read_as_a_shell_shows_it() -> None:
    """143 is the death there, and an exit in Python."""
    meanings = {(row.place, row.code): row.meaning for row in ROWS}
    assert meanings["shell", 143] == str(ExitStatus(-15))
    assert meanings["Python", 143] == str(ExitStatus(143))


def test_proof_is_an_example_that_prints_the_number() -> None:
    """Not one that only speaks of it."""
    by_name = {example.name: example for example in examples.find()}
    for row in ROWS:
        if row.proof:
            printed = " ".join(by_name[row.proof].output)
            assert re.search(rf"(?<![\d-]){row.code}(?!\d)", printed), row


def test_script_is_only_on_its_page() -> None:
    """Other pages do not load it."""
    users = [p for p in DOCS.rglob("*.md") if "decoder.js" in p.read_text("utf-8")]
    assert users == [decoder.PAGE]


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    """The page with its script in a browser, the field reached by the Tab key."""
    page = browser.new_page()
    page.set_content(decoder.render().replace("../assets/decoder.js", "data:,"))
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
    """How many rows of the table can be seen."""
    return page.locator("#exit-codes tr:not([hidden])").count()


@pytest.mark.parametrize(
    "text", ["-15", "0", "137", "143", "241", "0x10000", "65536", "0xC000013A"]
)
def test_script_answers_with_all_rows_of_a_number(page: Page, text: str) -> None:
    """In the words of the table, and the table shows just these rows."""
    meanings = [row.meaning for row in ROWS if row.code == int(text, 0)]
    answer = ask(page, text)
    assert [meaning for meaning in meanings if meaning not in answer] == []
    assert answer.count("\n") == len(meanings) - 1
    assert shown(page) == len(meanings)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("-1073741510", "Ctrl-C"),  # 0xC000013A with a sign.
        ("\u221215", "killed by SIGTERM"),  # A minus, as in prose.
        ("-34", "killed by signal 34, a real-time signal; a shell shows 162"),
        ("162", "Or a shell shows a death by signal 34"),
        ("77", "The program chose this number itself: sys.exit(77)."),
        ("256", "No process leaves this number on POSIX"),
        ("4294967296", "No process leaves this number."),
        ("nonsense", "That is no number."),
    ],
)
def test_script_answers_what_has_no_row(page: Page, text: str, answer: str) -> None:
    """It says nothing of a number that it does not know."""
    assert answer in ask(page, text)


def test_escape_shows_the_whole_table_again(page: Page) -> None:
    """A reader without a mouse gets back to where he began."""
    ask(page, "143")
    page.keyboard.press("Escape")
    assert page.text_content("#decoder output") == ""
    assert shown(page) == len(ROWS)
