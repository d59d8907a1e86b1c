"""Measure how often a queue breaks when its writer is terminated."""

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from msgspec import Struct, field

from evidence import store
from evidence.measure import leftovers, workers
from evidence.measure.load import busy
from evidence.measure.run import environment
from evidence.measure.runs import Load
from evidence.studies import queue_program, study
from evidence.studies.study import Report, Study

PATH = study.FOLDER / "broken_queue.json"
PROGRAM = Path(queue_program.__file__)

#: Bytes of a message: two sizes on each side of what matters to a pipe.
SIZES = (10, 100, 1_000, 4_000, 10_000, 65_536, 100_000, 1_000_000)
#: Milliseconds from the first item to the latest call of terminate().
LONGEST = 100
#: What can become of a queue, as the program says it.
OUTCOMES = ("usable", "writer", "reader", "both")
#: Runs of one process of the program.
_BATCH = 10
#: Seconds for a batch; a run takes a few seconds at most, unless something is wrong.
_DEADLINE = 600
#: Seconds in which the interrupted program kills its processes.
_CLEANUP = 60


class Point(Struct):
    """The runs with messages of one size."""

    load_average: tuple[float, float]
    """Lowest and highest load average of the machine after a batch."""
    runs: dict[str, list[float]]
    """For each outcome: the milliseconds after which terminate() was called."""

    @property
    def count(self) -> int:
        """The number of runs."""
        return sum(map(len, self.runs.values()))


class Series(Struct):
    """The runs of one kind of writer, and how it writes."""

    method: str
    """Start method of the processes."""
    pause_ms: int
    """Sleep of the writer after each put()."""
    load: Load = "idle"
    points: dict[int, Point] = {}
    """By the bytes of a message."""


class Queues(Study, kw_only=True):
    """How often a queue breaks, run by run."""

    hash: str
    """Of the program that breaks them."""
    cores: int
    jobs: int
    """Runs at a time."""
    series: dict[str, Series] = field(default_factory=dict)


SERIES = {
    "loop": Series("fork", 0),
    "paced": Series("fork", 10),
    "loop-forkserver": Series("forkserver", 0),
    "paced-forkserver": Series("forkserver", 10),
    "loop-loaded": Series("fork", 0, "loaded"),
    "paced-loaded": Series("fork", 10, "loaded"),
}


class Batch(Struct, frozen=True):
    """Some runs of a point."""

    series: str
    size: int
    delays: list[float]

    def task(self) -> str:
        """Return the input of the program."""
        series = SERIES[self.series]
        return json.dumps(
            {
                "method": series.method,
                "size": self.size,
                "pause": series.pause_ms / 1000,
                "delays": [delay / 1000 for delay in self.delays],
            }
        )


def record(runs: int, jobs: int, report: Report) -> None:
    """Run until each point has so many runs; write the results after each batch."""
    data = begin(jobs)
    for name, series in SERIES.items():
        batches = list(missing(data, name, runs))
        is_loaded = series.load == "loaded" and bool(batches)
        running = workers.run(run_batch, batches, jobs)
        with busy(is_loaded), closing(running) as finished:
            for done, (batch, outcomes) in enumerate(finished, 1):
                add(data, batch, outcomes)
                save(data)
                report(f"{name}: {done} of {len(batches)} batches")


def begin(jobs: int) -> Queues:
    """Return results to add to: those in the file if they are of the same program.

    Python and the kernel must be the same, too; otherwise the results are empty.
    """
    data = Queues(
        **study.circumstances(),
        hash=source_hash(),
        cores=os.cpu_count() or 1,
        jobs=jobs,
    )
    if PATH.exists():
        old = load()
        if (old.python, old.kernel, old.hash) == (data.python, data.kernel, data.hash):
            data.series = old.series
    return data


def source_hash() -> str:
    """Return a hash of what runs in the program."""
    return study.hash_of([PROGRAM])


def outdated(data: Queues) -> list[str]:
    """Return the program if the results are of another version."""
    return [] if data.hash == source_hash() else [PROGRAM.name]


def missing(data: Queues, name: str, runs: int) -> Iterator[Batch]:
    """Yield the runs that are not done yet, in batches; the sizes take turns."""
    points = data.series[name].points if name in data.series else {}
    left = {s: runs - (points[s].count if s in points else 0) for s in SIZES}
    while any(number > 0 for number in left.values()):
        for size in SIZES:
            number = min(_BATCH, left[size])
            if number > 0:
                left[size] -= number
                yield Batch(name, size, [_moment() for _ in range(number)])


def _moment() -> float:
    return round(random.uniform(0, LONGEST), 2)  # noqa: S311 - not a secret


def run_batch(batch: Batch) -> list[str]:
    """Run the program for a batch, and return the outcome of each run."""
    with leftovers.ended() as left:
        program = subprocess.Popen(
            [sys.executable, PROGRAM],
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            output, errors = program.communicate(batch.task(), timeout=_DEADLINE)
        except BaseException:
            # It kills its processes then, and its resource tracker removes semaphores.
            program.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                program.communicate(timeout=_CLEANUP)
            raise
    if program.returncode or errors or left:
        raise RuntimeError(f"exit status {program.returncode}: {errors}{left}")
    outcomes: list[str] = json.loads(output)
    return outcomes


def add(data: Queues, batch: Batch, outcomes: list[str]) -> None:
    """Add the runs of a batch."""
    kind = SERIES[batch.series]
    empty = Series(kind.method, kind.pause_ms, kind.load)
    series = data.series.setdefault(batch.series, empty)
    now = round(os.getloadavg()[0], 1)
    new = Point((now, now), {outcome: [] for outcome in OUTCOMES})
    point = series.points.setdefault(batch.size, new)
    series.points = dict(sorted(series.points.items()))
    low, high = point.load_average
    point.load_average = min(low, now), max(high, now)
    for delay, outcome in zip(batch.delays, outcomes, strict=True):
        point.runs[outcome].append(delay)


def load() -> Queues:
    """Return what was recorded."""
    return store.read(PATH, Queues)


def save(data: Queues) -> None:
    """Write what was recorded, one point a line."""
    store.write(PATH, data, depth=4)
