"""The timelines: drawn from recorded events, and recorded from true runs."""

import gzip
import json
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import psutil
import pytest
from jsonschema import Draft202012Validator, ValidationError

from evidence import cli as evidence
from evidence import examples
from evidence.examples import Example
from evidence.measure import interpreters, trace
from evidence.render import timelines
from evidence.render.tables import FRAGMENTS
from helpers import DOCS

EXAMPLES = examples.find()
WORKER = {example.name: example for example in EXAMPLES}["terminate/terminate_a_worker"]

KINDS = ("timelines", "tables")

each_example = pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e.name)


#: Bytes of the timeline and the table of a page, as they are sent.
BUDGET = 12 * 1024


@each_example
def test_timeline_is_of_the_example_and_the_tracer_as_they_are(
    example: Example,
) -> None:
    """What could run on no Python at hand is not traced, and says so."""
    if example.why_not_here and not trace.path_of(example).exists():
        assert "No run of it was traced" in timelines.of(example)
        return
    assert trace.is_of(example), "it or the tracer changed: make evidence"


def test_schema_is_a_schema() -> None:
    """And refuses an event that says nothing of its kind."""
    schema = json.loads(trace.SCHEMA.read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    data = json.loads(trace.path_of(WORKER).read_text("utf-8"))
    trace.check(data)
    data["methods"] = {"fork": [{"ms": 1.0, "what": "signal", "who": "main"}]}
    with pytest.raises(ValidationError):
        trace.check(data)


@each_example
def test_events_follow_the_schema(example: Example) -> None:
    """And are in the order of their times."""
    if not trace.path_of(example).exists():
        return
    data = json.loads(trace.path_of(example).read_text("utf-8"))
    trace.check(data)
    for events in data["methods"].values():
        times = [event["ms"] for event in events]
        assert times == sorted(times)


@each_example
def test_timeline_is_whole(example: Example) -> None:
    """The main process ends, who is reaped is dead, and each lane has a start."""
    if not trace.path_of(example).exists():
        return
    data = json.loads(trace.path_of(example).read_text("utf-8"))
    for events in data["methods"].values():
        known, dead = {"main", "init"}, set()
        for event in events:
            if event["what"] in ("fork", "adopt"):
                known |= {event["who"], event.get("child", "main")}
            elif event["what"] == "die":
                dead.add(event["who"])
            elif event["what"] == "reap":
                assert event["child"] in dead
            names = {event[key] for key in ("who", "child", "to") if key in event}
            assert names <= known
        assert "main" in dead


@each_example
def test_page_is_small(example: Example) -> None:
    """Timeline and table keep to the budget of a page."""
    parts = [FRAGMENTS / kind / f"{example.name}.html" for kind in KINDS]
    text = "".join(part.read_text("utf-8") for part in parts if part.exists())
    assert len(gzip.compress(text.encode(), 9)) < BUDGET


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
    # Whether the worker was in its call by then, is chance.
    told = [timelines.in_words(e) for e in events if e["what"] != "call"]
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


def test_run_that_prints_something_else_is_not_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A timeline shows what the page says, or nothing."""
    monkeypatch.setattr(examples, "FOLDER", tmp_path)
    path = tmp_path / "other.py"
    path.write_text("print(1)\n#> 2\n")
    with pytest.raises(RuntimeError, match=r"other, own: printed \['1'\]"):
        trace.trace(Example(path), "own")


def traced(
    source: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> list[dict[str, Any]]:
    """The events of a program."""
    monkeypatch.setattr(examples, "FOLDER", folder)
    path = folder / "program.py"
    path.write_text(source)
    return trace.trace(Example(path), "own")


def test_trace_tells_of_calls_and_cleanup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call that takes long, in the words of the source, and what runs at the end."""
    source = """\
import atexit, time
atexit.register(int)
try:
    time.sleep(0.3)
finally:
    time.sleep(0)
"""
    events = traced(source, tmp_path, monkeypatch)
    assert [(e["what"], e.get("call") or e.get("by")) for e in events] == [
        ("call", "time.sleep(0.3)"),
        ("cleanup", "finally"),
        ("cleanup", "atexit"),
        ("die", None),
    ]
    assert events[0]["took"] >= 300


def test_trace_tells_of_each_way_to_send_a_signal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a pidfd; signals to a group and to oneself are told, too."""
    source = """\
import os, signal, subprocess, sys
child = subprocess.Popen(["sleep", "60"], process_group=0)
os.killpg(child.pid, signal.SIGTERM)
child.wait()
pid = os.fork()
if not pid:
    signal.raise_signal(signal.SIGKILL)
os.waitpid(pid, 0)
pid = os.fork()
if not pid:
    signal.signal(signal.SIGUSR1, lambda *_: None)
    signal.pause()
    os._exit(0)
fd = os.pidfd_open(pid)
while '"handler"' not in open(os.environ["TRACED_NOTES"]).read():
    pass
signal.pidfd_send_signal(fd, signal.SIGKILL)
os.waitpid(pid, 0)
"""
    events = traced(source, tmp_path, monkeypatch)
    told = [timelines.in_words(e) for e in events if e["what"] != "call"]
    assert told == [
        "main starts sleep",
        "main sends SIGTERM to sleep, as to all of its group",
        "sleep ends: killed by SIGTERM",
        "main reaps sleep",
        "main starts child 1",
        "child 1 sends SIGKILL to itself",
        "child 1 ends: killed by SIGKILL",
        "main reaps child 1",
        "main starts child 2",
        "child 2 installs a handler for SIGUSR1",
        "main sends SIGKILL to child 2",
        "child 2 ends: killed by SIGKILL",
        "main reaps child 2",
        "main ends with exit code 0",
    ]


def test_trace_sees_the_children_of_a_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that it leaves behind."""
    source = """\
import subprocess
subprocess.run(["sh", "-c", "sleep 0.2; sleep 0.4 &"])
"""
    events = traced(source, tmp_path, monkeypatch)
    told = [timelines.in_words(event) for event in events]
    assert "sh starts sleep 1" in told
    assert "init adopts the orphan sleep 2" in told
    assert told[-1] == "init reaps sleep 2"  # After the end of main.


def test_trace_runs_on_another_interpreter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And says on which."""
    monkeypatch.setattr(trace, "FOLDER", tmp_path)
    evidence.trace_all([WORKER.name], ["/no/python", sys.executable], again=True)
    data = json.loads((tmp_path / f"{WORKER.name}.json").read_text("utf-8"))
    with interpreters.packages() as packages:
        here = interpreters.ask(sys.executable, packages)
    assert data["python"] == here.language
    assert list(data["methods"]) == here.methods_for(WORKER)


def test_run_that_fails_leaves_the_others_to_be_traced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says why, and the old events stay."""
    monkeypatch.setattr(examples, "FOLDER", tmp_path)
    monkeypatch.setattr(trace, "FOLDER", tmp_path / "timelines")
    (tmp_path / "topic").mkdir()
    (tmp_path / "topic" / "a.py").write_text("raise SystemExit(3)\n")
    (tmp_path / "topic" / "b.py").write_text("print(1)\n#> 1\n")
    (tmp_path / "topic" / "c.py").write_text(
        '# /// script\n# requires-python = ">=3.99"\n# ///\n'
    )
    evidence.trace_all([], [sys.executable])
    told = capsys.readouterr().out
    assert "not traced: topic/a, own: exit 3\n" in told
    assert "not traced: topic/c needs Python >=3.99" in told
    assert [path.stem for path in trace.FOLDER.glob("*/*.json")] == ["b"]


def test_start_methods_that_do_the_same_are_drawn_once() -> None:
    """Times, waits and who forks make no difference; an exit code does."""

    def run(code: int, *, server: bool = False) -> list[dict[str, Any]]:
        starter = {"who": "forkserver", "asker": "main"} if server else {"who": "main"}
        return [
            {"ms": code, "what": "fork", "child": "work", **starter},
            {"ms": 2, "what": "die", "who": "work", "code": code},
            {"ms": 3, "what": "reap", "who": starter["who"], "child": "work"},
        ]

    methods = {"fork": run(0), "spawn": run(1), "forkserver": run(0, server=True)}
    assert timelines._same(methods) == [["fork", "forkserver"], ["spawn"]]


def test_processes_that_do_the_same_are_drawn_once() -> None:
    """If they are many."""
    events: list[dict[str, Any]] = []
    for number in range(1, 6):
        name = f"work {number}"
        code = number == 3
        events += [
            {"ms": number, "what": "fork", "who": "main", "child": name},
            {"ms": number, "what": "die", "who": name, "code": int(code)},
        ]
    told = [timelines.in_words(event) for event in timelines._folded(events)]
    assert told == [
        "main starts work 1",
        "work 1 ends with exit code 0",
        "work 1 is one of 4 that do the same: the others are left out",
        "main starts work 3",
        "work 3 ends with exit code 1",
    ]


def test_cleanups_in_a_row_are_one() -> None:
    """Of one process; with their number."""
    cleanup = {"what": "cleanup", "by": "finally"}
    events = [
        {"ms": 0, "who": "main"} | cleanup,
        {"ms": 1, "who": "main"} | cleanup,
        {"ms": 2, "who": "work"} | cleanup,
    ]
    told = [timelines.in_words(event) for event in timelines._folded(events)]
    assert told == [
        "main runs its finally block, 2 times in a row",
        "work runs its finally block",
    ]


def test_long_time_as_a_zombie_is_told() -> None:
    """Between the death and the reaping."""
    events = [
        {"ms": 1, "what": "die", "who": "work", "code": 0},
        {"ms": 301, "what": "reap", "who": "main", "child": "work"},
    ]
    told = [timelines.in_words(event) for event in timelines._with_zombies(events)]
    assert told[1] == "main reaps work, a zombie for 300 ms"


def test_picture_is_for_everyone() -> None:
    """It is valid XML with a title, a description, and every event as text."""
    events = [
        {"ms": 1.4, "what": "fork", "who": "main", "child": "work"},
        {"ms": 500.0, "what": "signal", "who": "main", "to": "work", "signal": 15},
    ]
    picture = ElementTree.fromstring(timelines.draw(events, "A <title>"))  # noqa: S314
    assert picture.findtext("title") == "A <title>"
    assert "2 processes: main, work" in (picture.findtext("desc") or "")
    texts = ["".join(text.itertext()) for text in picture.iter("text")]
    assert texts == [
        "main",  # Above its lane.
        "work",
        "1 main starts work",
        "\u22ee 499 ms",
        "500 main sends SIGTERM to work",
    ]


def test_long_line_is_wrapped() -> None:
    """No text leaves the picture."""
    event = {"ms": 1.0, "what": "print", "who": "main", "text": "word " * 40}
    picture = ElementTree.fromstring(timelines.draw([event], "long"))  # noqa: S314
    lines = [line.text or "" for line in picture.iter("tspan")]
    assert len(lines) > 2
    assert max(map(len, lines)) * timelines.LETTER < timelines.WIDTH


def test_signs_are_explained() -> None:
    """Each that a picture can have, but the head of an arrow."""
    page = (DOCS / "evidence" / "method.md").read_text("utf-8")
    assert '--8<-- "docs/evidence/fragments/signs.html"' in page
    rendered = (FRAGMENTS / "signs.html").read_text("utf-8")
    assert rendered == timelines.signs(), "make evidence"
    assert set(timelines._SAMPLES) == set(timelines._SIGNS) - {"h"}
