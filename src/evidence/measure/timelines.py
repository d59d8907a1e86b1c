"""The recorded events of the examples: one file an example, in `data/timelines/`."""

from pathlib import Path
from typing import Literal, TypeAlias

from msgspec import Struct

from evidence import store
from evidence.examples import Example
from evidence.paths import DATA

FOLDER = DATA / "timelines"
#: The version of the tracer. Raise it if the tracer records other events for the
#: same run: all timelines are then out of date.
TRACER_VERSION = 1


class _Event(
    Struct,
    tag_field="what",
    tag=str.lower,
    omit_defaults=True,
    forbid_unknown_fields=True,
):
    """Something that a process did, or that happened to it."""

    ms: float
    """Milliseconds since the first event."""
    who: str
    """The process: "main", a function that it runs, or a program; "init" reaps orphans."""

    @property
    def processes(self) -> list[str]:
        """The processes that take part; the one that acts comes first."""
        others = (getattr(self, key, None) for key in ("child", "to"))
        return [self.who, *filter(None, others)]


class Fork(_Event):
    """A process starts another."""

    child: str
    asker: str | None = None
    """The process that called `start()`, if a server forks for it."""


class Print(_Event):
    """The example prints a line."""

    text: str


class Signal(_Event):
    """A process sends a signal."""

    to: str
    signal: int
    dead: bool = False
    """Whether the receiver was a zombie, or gone."""
    group: bool = False
    """Whether the signal was sent to the process group of the receiver."""


class Handler(_Event):
    """A process sets what it does when it receives a signal."""

    signal: int
    action: Literal["handle", "ignore", "default"]


class Handled(_Event):
    """A handler of a signal runs."""

    signal: int


class Cleanup(_Event):
    """A finally block or an atexit function of the example runs."""

    by: Literal["finally", "atexit"]


class Call(_Event):
    """The example makes a call that takes long, is interrupted, or never returns."""

    call: str
    """Its source."""
    took: float | None = None
    """Milliseconds; None if the process died in it."""


class Die(_Event):
    """A process dies."""

    code: int | None = None
    """The exit code; -N for signal N; None if nobody saw it."""


class Reap(_Event):
    """A process reaps a child."""

    child: str


class Adopt(_Event):
    """An orphan gets a new parent."""

    by: str


Event: TypeAlias = (
    Fork | Print | Signal | Handler | Handled | Cleanup | Call | Die | Reap | Adopt
)


class Timeline(Struct):
    """The events of one run of an example under each start method."""

    hash: str
    """`Example.hash` of the version that was run."""
    tracer: int
    """`TRACER_VERSION` of the tracer that recorded the events."""
    python: str
    """The version of CPython."""
    kernel: str
    date: str
    """Day of the run, YYYY-MM-DD."""
    methods: dict[str, list[Event]]
    """By start method; "own" if the example names its own, or uses none."""

    def is_of(self, example: Example) -> bool:
        """Whether this version of the tracer recorded this version of the example."""
        return (self.hash, self.tracer) == (example.hash, TRACER_VERSION)


def path_of(example: Example) -> Path:
    """Return the file that holds the timeline of an example."""
    return FOLDER / f"{example.name}.json"


def load(example: Example) -> Timeline | None:
    """Return the timeline of an example; None if it was never traced."""
    path = path_of(example)
    return store.read(path, Timeline) if path.exists() else None


def save(example: Example, timeline: Timeline) -> None:
    """Write the timeline of an example, one line an event."""
    store.write(path_of(example), timeline, depth=3)
