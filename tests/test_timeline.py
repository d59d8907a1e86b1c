"""The timelines: drawn from recorded events, and recorded from true runs."""

from pathlib import Path
from xml.etree import ElementTree

import psutil
import pytest

from evidence import examples, timelines, trace
from evidence.examples import Example
from evidence.tables import FRAGMENTS
from helpers import DOCS

EXAMPLES = examples.find()
WORKER = {example.name: example for example in EXAMPLES}["terminate/terminate_a_worker"]

each_example = pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e.name)


@each_example
def test_timeline_is_of_the_example_as_it_is(example: Example) -> None:
    """What cannot run on the Python of the tools is not traced, and says so."""
    if example.why_not_here and not trace.path_of(example).exists():
        assert "No run of it was traced" in timelines.of(example)
        return
    assert trace.is_of(example), "changed since it was traced: make evidence"


@each_example
def test_timeline_is_what_its_events_give(example: Example) -> None:
    """Nothing is drawn by hand."""
    fragment = FRAGMENTS / "timelines" / f"{example.name}.html"
    rendered = fragment.read_text("utf-8")
    assert rendered == timelines.of(example), "make evidence"
    assert "\n\n" not in rendered, "a blank line ends the HTML for Markdown"


@each_example
def test_page_carries_its_timeline(example: Example) -> None:
    """Below a heading of its own."""
    page = (DOCS / "examples" / f"{example.name}.md").read_text("utf-8")
    snippet = f'--8<-- "docs/evidence/fragments/timelines/{example.name}.html"'
    assert f"## Timeline\n\n{snippet}\n" in page


def test_trace_tells_what_happened() -> None:
    """The start, the signal, the death and the reaping, in this order."""
    before = set(psutil.Process().children(recursive=True))
    events = trace.trace(WORKER, "fork")
    assert set(psutil.Process().children(recursive=True)) == before
    told = [timelines.in_words(event) for event in events]
    assert told == [
        "main starts work",
        "main prints: the worker is ready",
        "main sends SIGTERM to work",
        "work ends: killed by SIGTERM",
        "main reaps work",
        "main prints: exit code -15",
        "main prints: ended by SIGTERM",
        "main ends with exit code 0",
    ]


def test_failed_example_is_not_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its error is told instead."""
    monkeypatch.setattr(examples, "FOLDER", tmp_path)
    path = tmp_path / "fails.py"
    path.write_text("import sys\nsys.exit(3)\n")
    with pytest.raises(RuntimeError, match="fails, own: exit 3"):
        trace.trace(Example(path), "own")


def test_picture_is_for_everyone() -> None:
    """It is valid XML with a title, a description, and every event as text."""
    events = trace.trace(WORKER, "fork")
    picture = ElementTree.fromstring(timelines.draw(events, "A <title>"))  # noqa: S314
    assert picture.findtext("title") == "A <title>"
    assert "2 processes: main, work" in (picture.findtext("desc") or "")
    texts = ["".join(text.itertext()) for text in picture.iter("text")]
    assert len(texts) == len(events)
    assert texts[2].endswith("main sends SIGTERM to work")


def test_long_line_is_wrapped() -> None:
    """No text leaves the picture."""
    event = {"ms": 1.0, "what": "print", "who": "main", "text": "word " * 40}
    picture = ElementTree.fromstring(timelines.draw([event], "long"))  # noqa: S314
    lines = [line.text or "" for line in picture.iter("tspan")]
    assert len(lines) > 2
    assert max(map(len, lines)) * timelines.LETTER < timelines.WIDTH
