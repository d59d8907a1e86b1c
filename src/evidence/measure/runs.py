"""The recorded runs of the examples: one file an example, in `data/runs/`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from msgspec import Struct, field
from msgspec.structs import replace

from evidence import store
from evidence.examples import Example
from evidence.paths import DATA

FOLDER = DATA / "runs"

Load = Literal["idle", "loaded"]
#: With the other processors idle, and with every processor kept busy.
LOADS: tuple[Load, ...] = ("idle", "loaded")


class Outcome(Struct):
    """What a run did that the example does not say."""

    count: int
    """Runs that did exactly this."""
    status: int | None
    """Exit status; None if the run was killed at its deadline."""
    output: list[str]
    error: str
    """The last line of stderr."""
    left: int
    """Processes that it left running."""


class Tally(Struct, omit_defaults=True):
    """How many runs there were, and how many of them did what the example says."""

    runs: int = 0
    passed: int = 0
    differed: list[Outcome] = []

    def add(self, other: "Tally") -> None:
        """Add other runs; those that did exactly the same share one outcome."""
        self.runs += other.runs
        self.passed += other.passed
        for new in other.differed:
            for old in self.differed:
                if replace(old, count=new.count) == new:
                    old.count += new.count
                    break
            else:
                self.differed.append(replace(new))


class Cell(Struct, omit_defaults=True):
    """The runs under one start method."""

    date: str
    """Day of the last run, YYYY-MM-DD."""
    kernel: str
    idle: Tally = field(default_factory=Tally)
    loaded: Tally = field(default_factory=Tally)

    def of(self, load: Load) -> Tally:
        """Return the tally of a load."""
        return self.idle if load == "idle" else self.loaded

    def tallies(self) -> Iterator[Tally]:
        """Yield the tally of each load."""
        yield self.idle
        yield self.loaded


class Column(Struct, omit_defaults=True):
    """The runs on one interpreter, or the reason why there are none."""

    implementation: str
    version: str
    platform: str
    cores: int
    hash: str
    """`Example.hash` of the version that was run."""
    layer: str = ""
    """As `Interpreter.layer`: such as "Wine 10.0" or "i386"; otherwise empty."""
    why_not: str | None = None
    """Why the example was not run."""
    cells: dict[str, Cell] = {}
    """By start method; "own" if the example names its own, or uses none."""

    @property
    def is_elsewhere(self) -> bool:
        """Whether it ran on another Linux: architecture, kernel or build."""
        return self.platform == "linux" and bool(self.layer)

    def is_of(self, example: Example) -> bool:
        """Whether the runs are of the example as it is, not of an earlier version."""
        return self.hash == example.hash

    def count(self, method: str, load: Load) -> int:
        """Return the number of runs under a start method and a load."""
        return self.cells[method].of(load).runs if method in self.cells else 0


class Runs(Struct):
    """The recorded runs of one example, by interpreter."""

    interpreters: dict[str, Column] = {}


def path_of(example: Example) -> Path:
    """Return the file that holds the runs of an example."""
    return FOLDER / f"{example.name}.json"


def load(example: Example) -> Runs:
    """Return the recorded runs of an example; none if it was never run."""
    path = path_of(example)
    return store.read(path, Runs) if path.exists() else Runs()


def last_day() -> str:
    """Return the day of the last recorded run of all."""
    found = (store.read(path, Runs) for path in FOLDER.glob("*/*.json"))
    columns = (column for one in found for column in one.interpreters.values())
    return max(cell.date for column in columns for cell in column.cells.values())


def save(example: Example, runs: Runs) -> None:
    """Write the runs of an example, one line an interpreter."""
    store.write(path_of(example), runs, depth=2)
