"""Puts the events of a timeline into words, without those that repeat others."""

import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from evidence.measure.timelines import (
    Adopt,
    Call,
    Cleanup,
    Die,
    Event,
    Fork,
    Handled,
    Handler,
    Print,
    Reap,
    Signal,
)

#: Milliseconds that are worth telling: of a zombie, or without an event.
LONG = 100
#: Processes of one name that do the same, or lines that one prints, to show as one.
MANY = 4

_ACTIONS = {
    "handle": "installs a handler for {}",
    "ignore": "ignores {} from now on",
    "default": "sets {} back to its default action",
}
_CLEANUPS = {"finally": "its finally block", "atexit": "an atexit function"}


@dataclass(frozen=True)
class Row:
    """A line of a timeline."""

    ms: float
    text: str
    event: Event | None = None
    """None if the line speaks of processes that are not shown."""


def in_words(event: Event) -> str:  # noqa: PLR0911, one for each kind of event
    """Return an event as a sentence."""
    who = event.who
    match event:
        case Fork(child=child, asker=asker):
            return f"{who} starts {child}" + (f" for {asker}" if asker else "")
        case Print(text=text):
            return f"{who} prints: {text}"
        case Signal(to=to, signal=number):
            receiver = "itself" if to == who else to
            receiver += " (sent to its process group)" if event.group else ""
            receiver += ", which is dead" if event.dead else ""
            return f"{who} sends {_name(number)} to {receiver}"
        case Handler(signal=number, action=action):
            return f"{who} {_ACTIONS[action].format(_name(number))}"
        case Handled(signal=number):
            return f"{who}: the handler of {_name(number)} runs"
        case Cleanup(by=by):
            return f"{who} runs {_CLEANUPS[by]}"
        case Call(call=call, took=took):
            length = "never returns" if took is None else f"takes {took:.0f} ms"
            return f"{who}: {call} {length}"
        case Die(code=code):
            return f"{who} {_how(code)}"
        case Reap(child=child):
            return f"{who} reaps {child}"
        case Adopt(by=by):
            return f"{by} adopts the orphan {who}"


def _name(number: int) -> str:
    return signal.Signals(number).name


def _how(code: int | None) -> str:
    """Return how a process died."""
    if code is None:
        return "dies (exit code unknown)"
    if code >= 0:
        return f"exits with code {code}"
    verb = "killed" if -code == signal.SIGKILL else "terminated"
    return f"is {verb} by {_name(-code)}"


def rows(events: Sequence[Event]) -> list[Row]:
    """Return the lines of a timeline.

    One process stands for many of a name that do the same, and one line for
    several cleanups or prints in a row.
    """
    hidden, instead = _fold(events)
    died = {event.who: event.ms for event in events if isinstance(event, Die)}
    found: list[Row] = []
    for place, event in enumerate(events):
        if hidden.isdisjoint(event.processes):
            text = in_words(event)
            if isinstance(event, Reap):
                zombie = event.ms - died.get(event.child, event.ms)
                text += f", a zombie for {zombie:.0f} ms" if zombie >= LONG else ""
            found.append(Row(event.ms, text, event))
        found += instead.get(place, [])
    return list(_merge(found))


def _merge(found: Sequence[Row]) -> Iterator[Row]:
    """Yield the lines, with one for several cleanups or prints in a row."""

    def key(row: Row) -> object:
        match row.event:
            case Cleanup():
                return row.text
            case Print(who=who):
                return who
        return id(row)

    for _, group in groupby(found, key):
        first, *others = group
        if isinstance(first.event, Cleanup) and others:
            text = f"{first.text}, {len(others) + 1} times in a row"
            yield replace(first, text=text)
        elif len(others) >= MANY - 1:
            yield replace(first, text=f"{first.text} (and {len(others)} more lines)")
        else:
            yield from [first, *others]


def _fold(events: Sequence[Event]) -> tuple[set[str], dict[int, list[Row]]]:
    """Return the processes to hide, and by its place what is said instead."""
    groups: dict[tuple[str, str], list[str]] = {}
    for name in lanes(events):
        role, _, number = name.rpartition(" ")
        if number.isdecimal():
            groups.setdefault((role, _conduct(events, name)), []).append(name)
    hidden: set[str] = set()
    instead: dict[int, list[Row]] = {}
    for first, *others in groups.values():
        if len(others) + 1 >= MANY:
            hidden.update(others)
            last = max(n for n, event in enumerate(events) if first in event.processes)
            text = f"{len(others)} other processes do the same as {first}: not shown"
            instead.setdefault(last, []).append(Row(events[last].ms, text))
    return hidden, instead


def lanes(events: Sequence[Event]) -> list[str]:
    """Return the processes in the order in which they appear, without init."""
    names = [name for event in events for name in event.processes]
    return [name for name in dict.fromkeys(["main", *names]) if name != "init"]


def _conduct(events: Sequence[Event], name: str) -> str:
    """Return what a process does and receives, without names and times."""
    kept = ("signal", "action", "text", "code")
    return repr(
        [
            [type(event), event.who == name, [getattr(event, k, 0) or 0 for k in kept]]
            for event in events
            if name in event.processes and not isinstance(event, Call)
        ]
    )


def same_methods(methods: dict[str, list[Event]]) -> list[list[str]]:
    """Return the start methods, together where the processes do the same."""
    groups: dict[str, list[str]] = {}
    for method, events in methods.items():
        groups.setdefault(repr(_conducts(events)), []).append(method)
    return list(groups.values())


def _conducts(events: Sequence[Event]) -> list[tuple[str, list[object]]]:
    """Return what each process does, without times and servers.

    The order between processes differs from run to run.
    """
    kept = ("child", "to", "signal", "action", "text", "by", "code")
    conducts: dict[str, list[object]] = {}
    for event in events:
        who = getattr(event, "asker", None) or event.who
        if isinstance(event, Call) or getattr(event, "child", None) == "forkserver":
            continue
        if isinstance(event, Reap):
            conducts.setdefault(event.child, []).append("reaped")
        elif who != "forkserver":
            done = [type(event), *(getattr(event, key, None) for key in kept)]
            conducts.setdefault(who, []).append(done)
    return sorted(conducts.items())
