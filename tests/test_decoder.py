"""The page that decodes exit codes says what ExitStatus says."""

import re
import sys

import pytest

from evidence import decoder, examples
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
