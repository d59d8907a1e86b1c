"""Run every example on other interpreters, and record how often it passed."""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from evidence.examples import START_METHODS, Example
from evidence.measure import interpreters, runs, workers
from evidence.measure.interpreters import Interpreter
from evidence.measure.load import busy
from evidence.measure.run import DEADLINE, Run, run_file
from evidence.measure.runs import LOADS, Cell, Column, Load, Outcome, Tally


@dataclass(frozen=True)
class Settings:
    """How to record."""

    wanted: Mapping[Load, int]
    """The number of runs under each start method, by load."""
    packages: Path
    """Where interpreters find the packages that examples need."""
    jobs: int = 1
    """Runs at a time."""
    deadline: float = DEADLINE
    """Seconds for one run."""


@dataclass(frozen=True)
class Task:
    """Some runs of an example under one start method and one load."""

    example: Example
    interpreter: Interpreter
    method: str
    """A start method, or "own"."""
    load: Load
    runs: int
    settings: Settings


def record(
    examples: Iterable[Example],
    interpreter: Interpreter,
    settings: Settings,
    report: Callable[[str], object],
) -> None:
    """Bring the runs of examples on an interpreter up to the wanted numbers.

    Each result is written at once, so a stopped recording continues where it was.
    """
    tasks: list[Task] = []
    for example in examples:
        if interpreter.why_not(example):
            _record_why_not(example, interpreter)
        else:
            tasks += _missing(example, interpreter, settings)
    done = 0
    for load in LOADS:
        chosen = [task for task in tasks if task.load == load]
        running = workers.run(run_task, chosen, settings.jobs)
        with busy(load == "loaded" and bool(chosen)), closing(running) as finished:
            for task, tally in finished:
                _add(task, tally)
                done += 1
                report(
                    f"{interpreter.key}: {done} of {len(tasks)}: "
                    f"{task.example.name} ({task.method}, {load})"
                )


def _record_why_not(example: Example, interpreter: Interpreter) -> None:
    """Record why an example cannot run, unless runs of it are recorded."""
    reason = interpreter.why_not(example)
    column = runs.load(example).interpreters.get(interpreter.key)
    # Another user may have the rights to run it there.
    has_better = column and column.cells and reason == example.why_not_allowed
    if not has_better and not (column and column.is_of(example)):
        _save_column(example, interpreter, _new_column(example, interpreter, reason))


def _missing(
    example: Example, interpreter: Interpreter, settings: Settings
) -> Iterator[Task]:
    """Yield the runs that an example lacks on an interpreter.

    A column that has all runs stays, even if they are of another patch version.
    """
    wanted = settings.wanted
    cells = [(m, load) for m in interpreter.methods_for(example) for load in LOADS]
    column = runs.load(example).interpreters.get(interpreter.key)
    if column is None or not column.is_of(example):
        column = _new_column(example, interpreter)
    if all(column.count(m, load) >= wanted[load] for m, load in cells):
        return
    if column.version != interpreter.version:
        column = _new_column(example, interpreter)
    for m, load in cells:
        if (lacks := wanted[load] - column.count(m, load)) > 0:
            yield Task(example, interpreter, m, load, lacks, settings)


def _new_column(
    example: Example, interpreter: Interpreter, why_not: str | None = None
) -> Column:
    return Column(
        implementation=interpreter.implementation,
        version=interpreter.version,
        platform=interpreter.platform,
        cores=os.cpu_count() or 1,
        hash=example.hash,
        layer=interpreter.layer,
        why_not=why_not,
    )


def _add(task: Task, tally: Tally) -> None:
    """Add runs to those of the same version of the example and the interpreter."""
    example, interpreter = task.example, task.interpreter
    column = runs.load(example).interpreters.get(interpreter.key)
    new = _new_column(example, interpreter)
    if column is None or column.why_not or _versions(column) != _versions(new):
        column = new
    cell = column.cells.setdefault(task.method, Cell(date="", kernel=""))
    cell.date = datetime.now(UTC).date().isoformat()
    cell.kernel = interpreters.kernel(interpreter.kernel)
    cell.of(task.load).add(tally)
    methods = [*START_METHODS, "own"]
    column.cells = dict(sorted(column.cells.items(), key=lambda c: methods.index(c[0])))
    _save_column(example, interpreter, column)


def _versions(column: Column) -> tuple[str, str, str]:
    return column.hash, column.version, column.layer


def _save_column(example: Example, interpreter: Interpreter, column: Column) -> None:
    recorded = runs.load(example)
    columns = recorded.interpreters | {interpreter.key: column}
    recorded.interpreters = {
        key: columns[key] for key in sorted(columns, key=interpreters.order)
    }
    runs.save(example, recorded)


def run_task(task: Task) -> Tally:
    """Run an example the number of times that a task says, in a worker."""
    is_default = task.method in ("own", task.interpreter.start_methods[0])
    tally = Tally()
    for _ in range(task.runs):
        run = run_file(
            task.example.path,
            python=task.interpreter.executable,
            start_method=None if is_default else task.method,
            deadline=task.settings.deadline,
            packages=interpreters.search_path(
                task.interpreter.executable, task.settings.packages
            ),
        )
        tally.add(_tally_of(run, task.example))
    return tally


def _tally_of(run: Run, example: Example) -> Tally:
    """Return what one run did."""
    # Sorted, because the order between processes is not fixed.
    in_order = replace(run, output=sorted(run.output))
    if in_order == Run(sorted(example.output), "", 0, []):
        return Tally(runs=1, passed=1)
    last = (run.errors.strip().splitlines() or [""])[-1]
    outcome = Outcome(
        count=1,
        status=run.status,
        output=[_without_paths(line) for line in run.output],
        error=_without_paths(last),
        left=len(run.leftovers),
    )
    return Tally(runs=1, differed=[outcome])


def _without_paths(line: str) -> str:
    """Return a line that is the same on each machine and in each run."""
    line = re.sub(r"(/[\w.+-]+)+/", ".../", line)
    return re.sub(r"0x[0-9a-f]{6,}", "0x...", line)
