"""Measures how often a queue breaks when its writer is terminated; draws the plot."""

import hashlib
import json
import os
import platform
import random
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from evidence.measure import interpreters, leftovers, record
from evidence.measure.run import environment
from evidence.paths import BUILD, DATA, ROOT
from evidence.studies import queue_program as broken_queue

RECORD = DATA / "studies" / "broken_queue.json"
SCHEMA = RECORD.with_suffix(".schema.json")
PAGE = ROOT / "docs" / "evidence" / "howoften.md"
FRAGMENT = BUILD / "howoften.html"
PROGRAM = Path(broken_queue.__file__)
MEND = "run: python -m evidence howoften"

#: Bytes of a message: two sizes on each side of what matters to a pipe.
SIZES = (10, 100, 1_000, 4_000, 10_000, 65_536, 100_000, 1_000_000)
#: Bytes that are written whole or not at all, and bytes that a pipe holds.
PIPE_BUF, CAPACITY = 4_096, 65_536
#: Milliseconds within which a writer is terminated, from its first item on.
LONGEST = 100
#: What can become of a queue, as the program says it.
OUTCOMES = ("usable", "writer", "reader", "both")
#: Runs of one process of the program.
BATCH = 10
#: Seconds for them; a run takes 3 at most, if nothing is wrong.
DEADLINE = 600


@dataclass(frozen=True)
class Series:
    """How the writer writes, and how busy the machine is meanwhile."""

    method: str
    pause_ms: int
    load: str

    def describe(self) -> str:
        """As a heading of a table."""
        pause = f"{self.pause_ms} ms asleep after each" if self.pause_ms else "No pause"
        load = ", every core kept busy" if self.load == "busy" else ""
        return f"{pause}, {self.method}{load}"


SERIES = {
    "loop": Series("fork", 0, "rest"),
    "paced": Series("fork", 10, "rest"),
    "loop-forkserver": Series("forkserver", 0, "rest"),
    "paced-forkserver": Series("forkserver", 10, "rest"),
    "loop-busy": Series("fork", 0, "busy"),
    "paced-busy": Series("fork", 10, "busy"),
}
#: Those that are drawn: one above the other.
DRAWN = ("loop", "paced")


@dataclass(frozen=True)
class Batch:
    """Some runs of a point."""

    series: str
    size: int
    delays: list[float]

    def task(self) -> str:
        """What the program is told."""
        series = SERIES[self.series]
        return json.dumps(
            {
                "method": series.method,
                "size": self.size,
                "pause": series.pause_ms / 1000,
                "delays": [delay / 1000 for delay in self.delays],
            }
        )


def measure(
    runs: int,
    jobs: int,
    report: Callable[[str], None],
    names: tuple[str, ...] = tuple(SERIES),
    sizes: tuple[int, ...] = SIZES,
) -> None:
    """Bring each point up to so many runs, and write down what was found."""
    data = begin() | {"jobs": jobs}
    for name in names:
        series = SERIES[name]
        batches = list(missing(data, name, sizes, runs))
        busy = series.load == "busy" and bool(batches)
        with leftovers.ended() as left, record._busy(busy):
            for done, batch in enumerate(_do(batches, jobs), 1):
                add(data, *batch)
                save(data)
                report(f"{name}: {done} of {len(batches)} batches")
        if left:
            raise RuntimeError(f"left running: {'; '.join(left)}")


def begin() -> dict[str, Any]:
    """The record so far, if it is of this program and this Python."""
    data: dict[str, Any] = {
        "python": platform.python_version(),
        "kernel": interpreters.kernel(),
        "cores": os.cpu_count() or 1,
        "jobs": 1,
        "date": datetime.now(UTC).date().isoformat(),
        "sha256": source_hash(),
        "series": {},
    }
    if RECORD.exists():
        old = load()
        if all(old[key] == data[key] for key in ("python", "kernel", "sha256")):
            data["series"] = old["series"]
    return data


def source_hash() -> str:
    """What the program was when it was measured."""
    return hashlib.sha256(PROGRAM.read_bytes()).hexdigest()


def load() -> dict[str, Any]:
    """What was recorded."""
    data: dict[str, Any] = json.loads(RECORD.read_text("utf-8"))
    return data


def missing(
    data: dict[str, Any], name: str, sizes: tuple[int, ...], runs: int
) -> Iterator[Batch]:
    """The runs that are still to be done, in batches; the sizes take turns."""
    points = data["series"].get(name, {}).get("points", {})
    left = {size: runs - count(points.get(str(size))) for size in sizes}
    while any(number > 0 for number in left.values()):
        for size in sizes:
            number = min(BATCH, left[size])
            if number > 0:
                left[size] -= number
                yield Batch(name, size, [_moment() for _ in range(number)])


def _moment() -> float:
    return round(random.uniform(0, LONGEST), 2)  # noqa: S311, not a secret


def count(point: dict[str, Any] | None) -> int:
    """The runs of a point."""
    return sum(map(len, point["runs"].values())) if point else 0


def add(data: dict[str, Any], batch: Batch, outcomes: list[str]) -> None:
    """Add the runs of a batch to those that were there."""
    series = SERIES[batch.series]
    entry = data["series"].setdefault(
        batch.series,
        {
            "method": series.method,
            "pause_ms": series.pause_ms,
            "load": series.load,
            "points": {},
        },
    )
    now = round(os.getloadavg()[0], 1)
    point = entry["points"].setdefault(
        str(batch.size),
        {"load_average": [now, now], "runs": {outcome: [] for outcome in OUTCOMES}},
    )
    low, high = point["load_average"]
    point["load_average"] = [min(low, now), max(high, now)]
    for delay, outcome in zip(batch.delays, outcomes, strict=True):
        point["runs"][outcome].append(delay)


def save(data: dict[str, Any]) -> None:
    """Write the record, whole or not at all."""
    schema = json.loads(SCHEMA.read_text("utf-8"))
    Draft202012Validator(schema).validate(data)
    text = json.dumps(data, indent=1)
    # A line for each list.
    text = re.sub(r"\[[^\][{}]*\]", lambda m: re.sub(r"\s+", " ", m[0]), text)
    unfinished = RECORD.with_suffix(".unfinished")
    unfinished.write_text(text + "\n", "utf-8")
    unfinished.replace(RECORD)


def _do(batches: list[Batch], jobs: int) -> Iterator[tuple[Batch, list[str]]]:
    """Run batches side by side, each in a process of its own."""
    stopped = threading.Event()
    running: set[subprocess.Popen[str]] = set()

    def do(batch: Batch) -> tuple[Batch, list[str]]:
        if stopped.is_set():
            raise InterruptedError
        process = subprocess.Popen(
            [sys.executable, PROGRAM],
            env=environment(),
            process_group=0,  # For Ctrl-C: see _end().
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.add(process)
        if stopped.is_set():
            _end(process)
        try:
            output, errors = process.communicate(batch.task(), timeout=DEADLINE)
        except BaseException:
            _end(process)
            process.communicate()
            raise
        finally:
            running.discard(process)
        if process.returncode or errors:
            raise RuntimeError(f"exit status {process.returncode}: {errors}")
        return batch, json.loads(output)

    with ThreadPoolExecutor(jobs) as pool:
        try:
            yield from pool.map(do, batches)
        except BaseException:
            stopped.set()
            for process in list(running):
                _end(process)
            raise


def _end(process: subprocess.Popen[str]) -> None:
    """End a program with all that it has started, also what it starts just now.

    Not by SIGKILL: the tracker of its semaphores ignores SIGTERM, and removes them.
    """
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
