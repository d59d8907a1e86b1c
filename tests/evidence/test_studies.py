"""The studies: measured for real, of what runs now, and rendered as recorded."""

import os
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from copies import DEADLINE, Folder, wait_until
from evidence import store
from evidence.measure import leftovers
from evidence.paths import DOCS
from evidence.render import queue_plot
from evidence.render import studies as rendering
from evidence.studies import (
    broken_queue,
    command,
    hangs,
    hostile_trees,
    programs,
    queue_program,
    runners,
    study,
    survivors,
    ways,
)
from evidence.studies.broken_queue import Queues
from evidence.studies.survivors import Outcome
from evidence.studies.ways import Caller, Way
from helpers import assert_golden

GOLDEN = Path(__file__).parent / "golden"
QUEUES = broken_queue.load()
SURVIVORS = survivors.load()
PROGRAMS = programs.load()

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="measured on Linux"),
    pytest.mark.timeout(300),
]

needs_runners = pytest.mark.skipif(
    not all(map(shutil.which, ("timeout", "tini", "dumb-init", "unshare")))
    or os.geteuid() != 0,
    reason="needs tini, dumb-init, and root for unshare; apt install tini dumb-init",
)


@pytest.mark.parametrize(
    ("measured", "verb"),
    [
        (survivors, "survivors"),
        (broken_queue, "queues"),
        (programs, "programs"),
        (hangs, "hangs"),
        (runners, "runners"),
        (command, "command"),
    ],
)
def test_results_are_of_the_programs_as_they_are_now(
    measured: Any, verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert measured.outdated(measured.load()) == [], f"run: python -m evidence {verb}"
    monkeypatch.setattr(study, "hash_of", lambda _: "another version")
    assert measured.outdated(measured.load())


def test_each_point_has_200_runs_over_the_whole_time() -> None:
    for name, series in QUEUES.series.items():
        assert set(series.points) == set(broken_queue.SIZES), name
        for point in series.points.values():
            moments = [moment for part in point.runs.values() for moment in part]
            assert len(moments) >= 200
            assert min(moments) < 0.1 * broken_queue.LONGEST
            assert max(moments) > 0.9 * broken_queue.LONGEST


def test_no_process_survived_where_the_pages_promise_it() -> None:
    for tree, counted in SURVIVORS.trees.items():
        for way, outcomes in counted.outcomes.items():
            if survivors.is_promised(tree, way):
                assert [outcome for _, outcome in outcomes] == [Outcome()], (tree, way)
                assert outcomes[0][0] >= SURVIVORS.runs
    runs = [run for found in PROGRAMS.programs.values() for run in found.runs]
    assert [run for run in runs if run.left or any(c.alive for c in run.calls)] == []


def test_sentences_about_broken_queues_are_true_of_the_results() -> None:
    def share(name: str, who: str, *, small: bool | None = None) -> float:
        points = [
            point
            for size, point in QUEUES.series[name].points.items()
            if small in (None, size <= queue_plot.PIPE_BUF)
        ]
        hits = sum(queue_plot.hangs(point, who) for point in points)
        return hits / sum(point.count for point in points)

    largest = QUEUES.series["paced"].points[max(broken_queue.SIZES)]
    assert share("loop", "writer") > 0.5
    assert share("paced", "writer", small=True) < 0.05
    assert queue_plot.hangs(largest, "writer") / largest.count > 0.5
    assert share("loop", "reader", small=True) == 0
    assert share("paced", "reader", small=True) == 0


def test_page_about_broken_queues_has_all_tables_and_the_programs_numbers() -> None:
    page = (DOCS / "evidence" / "howoften.md").read_text("utf-8")
    reader_hang = queue_program.HANG + queue_program.READER_HANG
    for said in (
        *(f'--8<-- "studies/broken_queue/{name}.html"' for name in QUEUES.series),
        f"get(timeout={queue_program.TIMEOUT:g})",
        f"up to {broken_queue.LONGEST} ms after the first item",
        f"alive {queue_program.HANG:g} s after its `put()`",
        f"`Empty` twice within {reader_hang:g} s",
        f"waits {queue_program.PATIENCE:g} s for the item",
    ):
        assert said in page, f"docs/evidence/howoften.md must say: {said}"


def test_guide_shows_each_recipe_under_its_title() -> None:
    page = (DOCS / "guides" / "real_programs.md").read_text("utf-8")
    for name, program in programs.PROGRAMS.items():
        recipe = f'--8<-- "tests/outside/programs.py:{name}"'
        section = page.split(f"\n## {program.title}\n")[1].split("\n## ")[0]
        assert recipe in section, f"{program.title!r} must embed: {recipe}"


def test_rendering_of_broken_queues_is_the_golden_one(tmp_path: Path) -> None:
    data = store.read(GOLDEN / "broken_queue.json", Queues)
    parts = rendering.of_queues(data).items()
    text = "".join(f"<!-- {name} -->\n{text}\n" for name, text in parts)
    assert_golden(text, GOLDEN / "broken_queue.html", tmp_path)
    assert "\n\n" not in text, "a blank line ends HTML in Markdown"
    assert "style=" not in text, "the site's policy forbids inline styles"


def test_survivors_are_counted_in_each_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leftovers.adopt_orphans()  # As other tests do: zombies of orphans stay here.
    monkeypatch.setattr(survivors, "PATH", tmp_path / "survivors.json")
    monkeypatch.setattr(hostile_trees, "names", lambda: ["session"])
    survivors.record(2, 1, print)
    found = survivors.load()
    promised, both = [(2, Outcome())], [(1, Outcome(survivors=2))]
    outcomes = [promised] * 4 + [both, [(1, Outcome())]]
    assert list(found.trees["session"].outcomes.values()) == outcomes
    table = rendering.of_survivors(found)["table.md"]
    assert f"{'| **0** ' * 4}| 2&nbsp;(1&times;) | 0 |" in table


@needs_runners
def test_runner_leaves_what_left_its_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runners, "PATH", tmp_path / "runners.json")
    runners.record(1, print, ["session"])
    outcomes = runners.load().trees["session"].outcomes
    assert len(outcomes) == len(runners.RUNNERS) * len(runners.CASES)
    left = {cell for cell, found in outcomes.items() if found[0][1].survivors}
    assert left == {
        f"{runner}, command, {event}"
        for runner in ("timeout", "tini", "dumb-init")
        for event in ("SIGTERM", "ended")
    }


@needs_runners
def test_witness_sees_a_runner_that_does_not_end() -> None:
    outcome = runners.run("ignores_sigterm", "tini", "process 1", "SIGTERM")
    assert outcome == runners.Outcome(survivors=4, running=True)


def test_command_leaves_nothing_of_a_tree_in_the_results() -> None:
    for counted in runners.load().trees.values():
        for cell, found in counted.outcomes.items():
            if cell.startswith("process-terminate run"):
                assert [outcome for _, outcome in found] == [runners.Outcome()]


def test_recorded_session_is_what_the_command_prints_now() -> None:
    recorded = command.load().sessions
    for name in ("exit_code", "exit_code_json", "no_process", "not_found"):
        assert command.run(*command.SESSIONS[name]) == recorded[name]


def leave(caller: Caller) -> None:
    """Leave the tree running."""
    caller.grow()


def fail(caller: Caller) -> None:
    """Leave the tree running, and raise."""
    caller.grow()
    raise LookupError


def kill_neighbor(caller: Caller) -> None:
    """Kill the neighbor instead of the tree."""
    caller.grow()
    for pid in caller.neighbor.pids():
        os.kill(pid, signal.SIGKILL)


def ask(caller: Caller) -> None:
    """Ask the tree to exit, and wait too long."""
    os.killpg(caller.grow().pid, signal.SIGTERM)
    time.sleep(600)


@pytest.mark.parametrize(
    ("tree", "way", "outcome"),
    [
        ("session", kill_neighbor, Outcome(survivors=3, harmed=2)),
        ("leaderless", fail, Outcome(survivors=3, error="LookupError")),
        ("tracker", leave, Outcome(survivors=3, names=1)),
        ("interrupts", ask, Outcome(survivors=22)),
    ],
)
def test_witness_sees_what_a_bad_way_leaves(
    tree: str, way: Way, outcome: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ways.WAYS, "bad", way)
    assert survivors.run(tree, "bad") == outcome


def test_witness_kills_a_chain_that_was_not_stopped() -> None:
    with hostile_trees.planted("chain") as (tree, neighbor):
        neighbor.start()
        root = tree.grow(neighbor)
        assert tree.count_alive() > 0
    assert [*tree.pids(), *neighbor.pids()] == []
    for process in root, neighbor.launcher:
        process.wait(DEADLINE)


@pytest.fixture
def new_queues(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of the queues, which does not exist yet."""
    path = tmp_path / "queues.json"
    monkeypatch.setattr(broken_queue, "PATH", path)
    return path


def test_queues_are_measured_until_there_are_enough_runs(
    new_queues: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broken_queue, "SIZES", (10,))
    paced = {"paced": broken_queue.SERIES["paced"]}
    monkeypatch.setattr(broken_queue, "SERIES", paced)
    reports: list[str] = []
    for wanted in (2, 3, 3):
        broken_queue.record(wanted, 1, reports.append)
        assert broken_queue.load().series["paced"].points[10].count == wanted
    assert reports == ["paced: 1 of 1 batches"] * 2
    assert list(new_queues.parent.iterdir()) == [new_queues]


@pytest.mark.usefixtures("new_queues")
def test_runs_of_another_queue_program_are_dropped() -> None:
    old = broken_queue.begin(1)
    old.series = QUEUES.series
    broken_queue.save(old)
    assert broken_queue.begin(1).series == QUEUES.series
    old.hash = "0" * 64
    broken_queue.save(old)
    assert broken_queue.begin(1).series == {}


def test_ctrl_c_during_a_study_leaves_nothing_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leftovers, "GRACE", 0)
    code = (
        "import signal; from pathlib import Path\n"
        "from evidence.studies import broken_queue\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "broken_queue.PATH = Path('queues.json')\n"
        "del broken_queue.SERIES['loop'], broken_queue.SERIES['paced']\n"
        "broken_queue.record(1000, 2, print)\n"
    )
    with leftovers.ended() as left:
        recording = Folder(tmp_path).start(sys.executable, "-c", code)
        root = psutil.Process(recording.pid)
        # Until a worker runs a program that has started processes.
        wait_until(
            lambda: any(
                queue.children()
                for worker in root.children()
                for queue in worker.children()
                if queue.is_running()
            )
        )
        os.kill(recording.pid, signal.SIGINT)
        output, _ = recording.communicate(timeout=DEADLINE)
    assert left == []
    assert output.rstrip().endswith("KeyboardInterrupt")
    assert not list(tmp_path.glob("*.unfinished"))
