"""The page that decodes exit codes says what the library says."""

from collections import Counter
from collections.abc import Iterator

import pytest
from bs4 import BeautifulSoup
from pasted_texts import NO_CODE, PASTED
from playwright.sync_api import Browser, Page

from evidence import examples
from evidence.render import decoder
from process_terminate import ExitStatus
from process_terminate._exit_codes.meanings import meanings
from process_terminate._exit_codes.pasted import read
from process_terminate._exit_codes.rows import ROWS


def test_each_row_of_the_library_is_on_the_page() -> None:
    page = BeautifulSoup(decoder.files()["decoder.html"], "lxml")
    shown = [
        [cell.text for cell in row.find_all("td")][:3]
        for row in page.select("tbody tr")
    ]
    assert shown == [[row.meaning, row.sender, row.look] for row in ROWS]


def test_number_has_one_row_or_a_second_one_for_windows() -> None:
    counts = Counter(code for row in ROWS for code in row.codes)
    assert [code for code, count in counts.items() if count > 1] == []


def test_row_says_who_may_have_sent_it_and_what_to_look_at() -> None:
    assert [row for row in ROWS if not (row.sender and row.look and row.source)] == []


def test_number_of_a_shell_is_that_of_python_and_128() -> None:
    for row in ROWS:
        if len(row.codes) > 1:
            own, shell = row.codes
            assert ExitStatus(own).shell_code == shell
            assert row.meaning == str(ExitStatus(own)).partition(";")[0]


def test_example_of_a_row_prints_the_number() -> None:
    outputs = {example.name: example.output for example in examples.find()}
    names = {row.codes: decoder.example_of(row) for row in ROWS}
    assert len(list(filter(None, names.values()))) > 5
    for (code, *_), name in names.items():
        if name:
            printed = " ".join(outputs[name]).replace(",", " ")
            assert str(code) in [word.strip(".:;()[]") for word in printed.split()]


@pytest.fixture(scope="module")
def page(browser: Browser, base: str) -> Iterator[Page]:
    """The page in a browser, with the keyboard in its field."""
    page = browser.new_page()
    page.goto(f"{base}/decoder/")
    page.focus("#decoder input")
    yield page
    page.close()


def ask(page: Page, text: str) -> str:
    """Paste a text, and nothing else, where the keyboard is; read the answer."""
    page.keyboard.press("Control+A")
    page.keyboard.press("Delete")
    page.keyboard.insert_text(text)
    return page.text_content("#decoder output") or ""


def shown(page: Page) -> int:
    """Return how many rows of the table can be seen."""
    return page.locator("#exit-codes tr:not([hidden])").count()


def test_script_says_of_each_number_what_the_library_says(page: Page) -> None:
    special = [256, 511, 512, 65280, 65536, 2**32 - 1, -(2**31), *(-65, -1073741510)]
    codes = [*range(-64, 256), *special, *(row.codes[0] for row in ROWS)]
    # All at once: with the keys each of them would take a tenth of a second.
    answers = page.locator("#decoder input").evaluate(
        "(input, codes) => codes.map(code => {"
        "input.value = code; input.dispatchEvent(new Event('input'));"
        "return document.querySelector('#decoder output').textContent})",
        codes,
    )
    for code, answer in zip(codes, answers, strict=True):
        found = meanings(code if code >= -64 else code + 2**32)
        assert answer.split("\n") == [row.meaning for row in found], code


@pytest.mark.parametrize("text", PASTED)
def test_script_reads_what_people_paste(page: Page, text: str) -> None:
    code = read(text)
    assert code is not None
    assert ask(page, text).split("\n") == [row.meaning for row in meanings(code)]
    assert shown(page) == sum(code in row.codes for row in ROWS)
    page.keyboard.press("Escape")  # Shows the whole table again.
    assert page.text_content("#decoder output") == ""
    assert shown(page) == len(ROWS)


@pytest.mark.parametrize("text", NO_CODE)
def test_script_finds_no_code_where_the_library_finds_none(
    page: Page, text: str
) -> None:
    assert ask(page, text) == "There is no exit code in this text."


@pytest.mark.parametrize("text", ["4294967296", "-2147483649"])
def test_script_refuses_a_number_that_no_process_leaves(page: Page, text: str) -> None:
    assert ask(page, text) == "No process leaves this number."
    assert meanings(read(text) or 0) == []
