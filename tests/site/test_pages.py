"""The pages around the examples lead to them: choose, corrections, why, terms."""

import re
from datetime import date
from html import unescape

import pytest

from evidence import examples
from helpers import DOCS

NAMES = {example.name for example in examples.find()}
WANTS = ["politely", "now", "with its clean-up", "with its children"]
#: What the glossary explains at least.
TERMS = [
    "daemon",
    "feeder-thread",
    "fork",
    "forkserver",
    "grace-period",
    "handler",
    "kill",
    "orphan",
    "pid-1",
    "pidfd",
    "process-group",
    "reap",
    "resource-tracker",
    "sentinel",
    "session",
    "sigkill",
    "sigterm",
    "spawn",
    "start-method",
    "stopped",
    "subreaper",
    "terminate",
    "zombie",
]


def read(name: str) -> str:
    """A page of docs/."""
    return (DOCS / name).read_text("utf-8")


def linked(text: str) -> list[str]:
    """The examples that a text leads to, in Markdown or in HTML, in its order."""
    return re.findall(r'(?:\(|href=")(?:\.\./)*examples/(\w+/\w+)(?:\.md|/)', text)


def sections(page: str, level: int) -> dict[str, str]:
    """What stands below each heading of a level, up to one of that level or above."""
    below = re.split(rf"(?m)^(?=#{{1,{level}}} )", page)
    mark = "#" * level + " "
    parts = [part.partition("\n") for part in below if part.startswith(mark)]
    return {head.removeprefix(mark): text for head, _, text in parts}


def rows(text: str) -> list[tuple[str, str]]:
    """The head and the rest of each row of the tables in HTML."""
    return re.findall(r'<tr><th scope="row">(.*?)</th>(.*)</tr>', text)


CHOICES = {
    name: text for name, text in sections(read("choose.md"), 2).items() if rows(text)
}
CORRECTIONS = sections(read("corrections.md"), 3)
TERMS_EXPLAINED = re.findall(
    r'(?m)^<span id="(.+?)">.+</span>\n:   (.+)$', read("glossary.md")
)


@pytest.mark.parametrize("thing", CHOICES)
def test_choice_leads_to_an_example_or_says_why_not(thing: str) -> None:
    """Whatever you have, and however you want it gone."""
    cells = rows(CHOICES[thing])
    assert [want for want, _ in cells] == WANTS
    for want, cell in cells:
        words = unescape(re.sub("<.+?>", "", cell))
        assert linked(cell) or words.startswith("No example: "), want
        assert set(linked(cell)) <= NAMES, want


def test_choices_are_there() -> None:
    """None of the things that can be ended is missing."""
    page = " ".join(CHOICES)
    things = ("Process", "Popen", "Pool", "Executor", "asyncio", "pid", "tree")
    assert [thing for thing in things if thing not in page] == []


@pytest.mark.parametrize("claim", CORRECTIONS)
def test_correction_has_a_run_and_its_date(claim: str) -> None:
    """No claim is called false without a program that shows it."""
    text = CORRECTIONS[claim]
    quote, run = text.strip().splitlines()[0], text.strip().splitlines()[-1]
    assert quote.startswith("> ")
    assert run.startswith("- Run: ")
    assert linked(run)
    assert set(linked(run)) <= NAMES
    day = date.fromisoformat(run.rpartition("; ")[2])
    assert day > date(2026, 1, 1)


def test_corrections_are_there() -> None:
    """The pattern above finds every heading of the page."""
    assert len(CORRECTIONS) == read("corrections.md").count("\n- Run: ") > 0


@pytest.mark.parametrize("term", [term for term, _ in TERMS_EXPLAINED])
def test_term_leads_to_an_example(term: str) -> None:
    """A term is explained by what a run shows."""
    text = dict(TERMS_EXPLAINED)[term]
    assert linked(text)
    assert set(linked(text)) <= NAMES


def test_terms_are_there_once_and_in_their_order() -> None:
    """Each has an id to link to."""
    terms = [term for term, _ in TERMS_EXPLAINED]
    assert set(TERMS) <= set(terms)
    assert len(terms) == len(set(terms)) == read("glossary.md").count("\n:   ")
    names = re.findall(r"(?m)^<span.*>(.+)</span>$", read("glossary.md"))
    assert names == sorted(names, key=str.lower)


def test_difference_between_start_methods_is_shown_or_marked() -> None:
    """Each row leads to an example, or says that it was not run."""
    differences = rows(read("explanation/start_methods.md"))
    assert differences
    for what, cells in differences:
        assert linked(cells) or "not run" in cells, what


@pytest.mark.parametrize(
    "page", [path.stem for path in (DOCS / "explanation").glob("*.md")]
)
def test_explanation_is_short_and_leads_to_examples(page: str) -> None:
    """Its words are counted without the addresses of its links."""
    text = re.sub(r"\]\(.*?\)|<.*?>", " ", read(f"explanation/{page}.md"))
    assert len(text.split()) <= 900
    if page != "index":
        assert len(set(linked(read(f"explanation/{page}.md")))) >= 5
