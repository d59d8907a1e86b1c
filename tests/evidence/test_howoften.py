"""How often a queue breaks: recorded, drawn as recorded, and recorded cleanly."""

import json
import os
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import psutil
import pytest
from jsonschema import Draft202012Validator, ValidationError
from test_checks import Copy, copy, wait_until

from evidence.measure import leftovers
from evidence.render import broken_queue as howoften_page
from evidence.studies import broken_queue as howoften

__all__ = ["copy"]  # The fixture.

DATA = howoften.load()
MEND = "run: python -m evidence render"

each_series = pytest.mark.parametrize("name", list(DATA["series"]))
needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="measured on Linux")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty place for a record; no process is left when the test is over."""
    path = tmp_path / "howoften.json"
    monkeypatch.setattr(howoften, "RECORD", path)
    with leftovers.ended() as left:
        yield path
    assert left == []


def measure(runs: int) -> None:
    """Bring one point up to so many runs."""
    howoften.measure(runs, 1, lambda _: None, ("paced",), (10,))


def test_record_follows_the_schema() -> None:
    """Others can rely on it."""
    schema = json.loads(howoften.SCHEMA.read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(DATA)


def test_record_is_of_the_program_as_it_is() -> None:
    """Runs of another program prove nothing."""
    assert DATA["sha256"] == howoften.source_hash(), howoften.MEND


@each_series
def test_series_has_200_runs_of_each_point(name: str) -> None:
    """At each size, under the circumstances that its name stands for."""
    entry = DATA["series"][name]
    series = howoften.SERIES[name]
    circumstances = (entry["method"], entry["pause_ms"], entry["load"])
    assert circumstances == (series.method, series.pause_ms, series.load)
    assert set(map(int, entry["points"])) == set(howoften.SIZES), howoften.MEND
    assert min(map(howoften.count, entry["points"].values())) >= 200, howoften.MEND


def test_drawn_series_are_recorded() -> None:
    """And their moments are spread over the whole time."""
    for name in howoften.DRAWN:
        for point in DATA["series"][name]["points"].values():
            moments = [moment for part in point["runs"].values() for moment in part]
            assert min(moments) < 0.1 * howoften.LONGEST
            assert max(moments) > 0.9 * howoften.LONGEST


def test_plot_and_tables_are_what_the_record_gives() -> None:
    """To the byte: Matplotlib is pinned, and draws without a date or a font."""
    drawn = howoften.FRAGMENT.read_text("utf-8")
    assert drawn == howoften_page.fragment(DATA), MEND
    assert "\n\n" not in drawn, "a blank line ends the HTML for Markdown"


def test_page_is_what_the_record_gives() -> None:
    """With the numbers in its sentences."""
    assert howoften.PAGE.read_text("utf-8") == howoften_page.page(DATA), MEND


def test_plot_is_for_everyone() -> None:
    """Valid XML with a title, each point in words, and no colour of its own."""
    drawn = howoften_page.plot(DATA)
    picture = ElementTree.fromstring(drawn)  # noqa: S314
    space = "{http://www.w3.org/2000/svg}"
    assert picture.findtext(f"{space}title")
    words = picture.findtext(f"{space}desc") or ""
    assert words.count(" bytes: ") == len(howoften.DRAWN) * len(howoften.SIZES)
    colours = re.findall(r"(?:fill|stroke)=\"([^\"]+)\"", drawn)
    assert set(colours) == {
        "none",
        "currentColor",
        "var(--plot-writer, #c2410c)",
        "var(--plot-reader, #1565c0)",
    }
    assert "font-family" not in drawn


@pytest.mark.parametrize(
    ("hits", "low", "high"), [(0, 0, 0.0188), (100, 0.4314, 0.5686), (200, 0.9812, 1)]
)
def test_interval_is_wilsons(hits: int, low: float, high: float) -> None:
    """It has a width also where all runs or none broke the queue."""
    assert howoften_page.interval(hits, 200) == pytest.approx((low, high), abs=5e-5)


@needs_linux
def test_recording_goes_on_where_it_stopped(place: Path) -> None:
    """True runs; only those that are missing are made, and nothing is left."""
    before = set(psutil.Process().children(recursive=True))
    for wanted in (2, 3, 3):
        measure(wanted)
        (point,) = howoften.load()["series"]["paced"]["points"].values()
        assert howoften.count(point) == wanted
    assert set(psutil.Process().children(recursive=True)) == before
    assert list(place.parent.iterdir()) == [place]


@needs_linux
def test_runs_of_another_program_are_dropped(place: Path) -> None:
    """The record begins anew."""
    howoften.save(DATA | {"sha256": "0" * 64})
    measure(1)
    assert list(howoften.load()["series"]) == ["paced"]
    assert howoften.load()["sha256"] == howoften.source_hash()
    assert place.exists()


def test_bad_record_is_not_written(place: Path) -> None:
    """And the one that was there stays."""
    howoften.save(DATA)
    before = place.read_text()
    with pytest.raises(ValidationError):
        howoften.save({"python": "new"})
    assert place.read_text() == before


@needs_linux
@pytest.mark.parametrize("name", ["loop", "paced-forkserver", "paced-busy"])
def test_ctrl_c_ends_a_recording(name: str, copy: Copy) -> None:
    """Nothing is left running, and no file half-written."""
    command = ["howoften", "--runs", "1000", "--series", name]
    recording = copy.start(sys.executable, "-m", "evidence", *command)
    wait_until(lambda: runs_in(recording.pid) or recording.poll() is not None)
    os.killpg(recording.pid, signal.SIGINT)
    output, _ = recording.communicate(timeout=60)
    assert recording.returncode == 1, output
    assert output.splitlines()[-1] == "evidence: interrupted; what was recorded is kept"
    assert "Traceback" not in output
    folder = copy.folder / "docs" / "evidence"
    assert json.loads((folder / "howoften.json").read_text())
    assert not list(folder.glob("*.unfinished"))


def runs_in(pid: int) -> bool:
    """Whether a recording has programs that have started processes."""
    try:
        programs = psutil.Process(pid).children()
        return any(program.children() for program in programs)
    except psutil.NoSuchProcess:
        return False


@needs_linux
def test_changed_program_fails_with_the_command_that_mends_it(copy: Copy) -> None:
    """Its runs were of another program."""
    copy.replace("src/evidence/broken_queue.py", "HANG = 1.0", "HANG = 1.5")
    status, output = copy.test("tests/test_howoften.py", "-k", "program_as_it_is")
    assert status == 1
    assert howoften.MEND in output
