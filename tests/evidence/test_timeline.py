"""The timelines: recorded from real runs, and rendered from what was recorded."""

import gzip
import re
import signal
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import get_args
from xml.etree import ElementTree

import psutil
import pytest

from evidence import examples, store
from evidence.examples import Example
from evidence.measure import interpreters, leftovers, timelines, trace
from evidence.measure.timelines import Event, Fork, Timeline
from evidence.measure.tracer import watch
from evidence.render import timelines as rendered
from evidence.render.timelines.events import in_words
from evidence.render.timelines.picture import SIGNS
from helpers import assert_golden

EXAMPLES = {example.name: example for example in examples.find()}
WORKER = EXAMPLES["stop/terminate_a_worker"]
GOLDEN = Path(__file__).parent / "golden"
#: Bytes of a timeline as it is sent: a quarter of what the text of a page may have.
BUDGET = 3 * 1024

#: What a trace must have seen, by its example.
SENTENCES = {
    "subprocess/kill_a_shell": [
        "main starts sh 1",
        # Of cat, which on a busy machine the tracer still calls by its first name, sh.
        "init adopts the orphan ",
        "init reaps ",
    ],
    "children/orphaned_child": [
        "work 2 is killed by SIGKILL",
        "init adopts the orphan grandchild 2",
        "init reaps grandchild 2",
    ],
    "children/kill_a_process_group": [
        "main sends SIGTERM to leader (sent to its process group)",
        "main sends SIGTERM to sleep (sent to its process group)",
    ],
    "children/signal_a_pidfd": ["main sends SIGTERM to sleep"],
    "queues/terminate_a_lock_holder": ["main: lock.acquire(timeout=0.5) takes "],
    "queues/give_each_worker_a_pipe": ["work 2 sends SIGKILL to itself"],
    "queues/join_before_get": ["work: the join of a queue's thread takes"],
    "signals/clean_up_on_sigterm": [
        "work installs a handler for SIGTERM",
        "work: the handler of SIGTERM runs",
        "work runs its finally block",
        "work runs an atexit function",
        "work exits with code 143",
    ],
}

#: The tracer's notes are root's, so a process that changes its user cannot write them,
#: and the picture has no lane for process 1 of another PID namespace. One cannot be
#: opened when the example has used up the descriptors.
UNTRACED = {
    "children/kill_9_does_not_work",
    "children/kill_by_name",
    "children/permission_denied",
    "children/zombies_under_process_1",
    "diagnose/not_yours",
    "process_objects/too_many_open_files",
}

each_example = pytest.mark.parametrize(
    "example", EXAMPLES.values(), ids=lambda e: e.name
)


@each_example
def test_timeline_is_of_the_present_example_and_tracer(example: Example) -> None:
    timeline = timelines.load(example)
    if timeline is None:
        unseen = example.name in UNTRACED or example.why_not_here
        assert unseen, f"python -m evidence trace {example.name}"
    else:
        is_current = timeline.is_of(example)
        assert is_current, f"out of date: python -m evidence trace {example.name}"


@each_example
def test_each_process_starts_before_it_acts_and_dies_before_it_is_reaped(
    example: Example,
) -> None:
    timeline = timelines.load(example)
    for events in timeline.methods.values() if timeline else ():
        assert events == sorted(events, key=lambda event: event.ms)
        known, dead = {"main", "init"}, set()
        for event in events:
            match event:
                case timelines.Fork(child=child):
                    known.add(child)
                case timelines.Adopt(who=who):
                    known.add(who)
                case timelines.Die(who=who):
                    dead.add(who)
                case timelines.Reap(child=child):
                    assert child in dead
            assert known.issuperset(event.processes)
        assert "main" in dead


@each_example
def test_timeline_is_small_and_its_pictures_are_xml_without_ids(
    example: Example,
) -> None:
    html = rendered.of(example)
    assert len(gzip.compress(html.encode(), 9)) < BUDGET
    assert "\n\n" not in html, "Markdown ends the HTML at a blank line"
    for picture in re.findall("<svg.*?</svg>", html):
        parts = ElementTree.fromstring(picture).iter()  # noqa: S314, it is our own
        assert not [part for part in parts if "id" in part.attrib]


def test_rendered_timeline_is_the_golden_one(tmp_path: Path) -> None:
    timeline = store.read(GOLDEN / "timeline.json", Timeline)
    text = rendered.render(timeline, "topic/name")
    assert_golden(text, GOLDEN / "timeline.html", tmp_path)
    shown = {type(event) for events in timeline.methods.values() for event in events}
    assert shown == set(get_args(Event)), "show each kind of event in timeline.json"


def test_each_sign_of_a_picture_is_in_the_legend() -> None:
    explained = re.findall('path class="(.)"', rendered.files()["signs.html"])
    assert set(explained) == set(SIGNS)


def test_timeline_of_an_earlier_version_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timelines, "FOLDER", tmp_path)
    assert "was not traced" in rendered.of(WORKER)
    timelines.save(WORKER, store.read(GOLDEN / "timeline.json", Timeline))
    assert "One run of an earlier version on CPython" in rendered.of(WORKER)
    assert not trace.is_of(WORKER)


@pytest.mark.parametrize(("name", "sentences"), SENTENCES.items(), ids=SENTENCES)
def test_trace_of_a_real_example_has_what_its_page_is_about(
    name: str, sentences: list[str]
) -> None:
    example = EXAMPLES[name]
    method = "fork" if example.follows_the_default else "own"
    told = [in_words(event) for event in trace.trace(example, method)]
    for sentence in sentences:
        assert any(text.startswith(sentence) for text in told), (sentence, told)


def program(source: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Example:
    """Write a program to trace."""
    monkeypatch.setattr(examples, "EXAMPLES", folder)
    path = folder / "program.py"
    path.write_text(source)
    return Example(path)


@pytest.mark.parametrize(
    ("source", "error"),
    [("import sys\nsys.exit(3)\n", "exit 3"), ("print(1)\n#> 2\n", r"printed \['1'\]")],
)
def test_run_that_differs_from_its_example_is_no_timeline(
    source: str, error: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RuntimeError, match=f"program, own: {error}"):
        trace.trace(program(source, tmp_path, monkeypatch), "own")


@pytest.mark.parametrize("error", [TimeoutError, KeyboardInterrupt])
def test_trace_that_is_broken_off_leaves_nothing_running(
    error: type[BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = "import subprocess\nsubprocess.run(['sleep', '600'])\n"
    endless = program(source, tmp_path, monkeypatch)
    monkeypatch.setattr(leftovers, "GRACE", 0.2)
    before = set(psutil.Process().children(recursive=True))
    if error is TimeoutError:
        monkeypatch.setattr(watch, "DEADLINE", 1.0)
    else:
        threading.Timer(1, signal.raise_signal, [signal.SIGINT]).start()
    with pytest.raises(error):
        trace.trace(endless, "own")
    assert set(psutil.Process().children(recursive=True)) == before


def test_recorded_timeline_says_what_was_run_and_what_happened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timelines, "FOLDER", tmp_path)
    with interpreters.packages() as packages:
        asked = interpreters.ask(sys.executable, packages)
    here = replace(asked, start_methods=["forkserver", "fork"])
    trace.record(WORKER, here)
    timeline = timelines.load(WORKER)
    assert timeline
    assert timeline.is_of(WORKER)
    assert timeline.python == here.language
    assert list(timeline.methods) == ["fork", "forkserver"]
    # Whether the worker was in its call by then is chance.
    events = [e for e in timeline.methods["fork"] if not isinstance(e, timelines.Call)]
    assert [in_words(event) for event in events] == [
        "main starts work",
        "main prints: the worker is ready",
        "main sends SIGTERM to work",
        "work is terminated by SIGTERM",
        "main reaps work",
        *(f"main prints: {line}" for line in WORKER.output[1:]),
        "main exits with code 0",
    ]
    server = timeline.methods["forkserver"]
    starts = [event for event in server if isinstance(event, Fork)]
    assert [event.asker for event in starts] == [None, "main"]
    store.forget(timelines.FOLDER, all_but=set())
    assert timelines.load(WORKER) is None
