"""Draws the recorded events of an example as a timeline: SVG, and the same in words."""

import json
import signal
import textwrap
from html import escape
from typing import Any

from evidence import examples
from evidence.examples import Example
from evidence.measure import trace
from evidence.measure.trace import Event
from process_terminate import ExitStatus

WIDTH = 330
#: Pixels: the height of a line of text, of an event of one line, and of a gap.
LINE, ROW, GAP = 13, 19, 15
#: Pixels that a letter takes on the average, in the font of a page, if that is a wide
#: one, such as DejaVu Sans; a line of capitals may reach into the margin.
LETTER = 6.0
#: Events that a picture shows at most; what comes after looks the same.
SHOWN = 90
#: Milliseconds without an event that are shown as a gap.
LONG = 100
#: Processes of one name, from which on those that do the same are drawn once.
MANY = 4

_ACTIONS = {
    "handle": "installs a handler for {signal}",
    "ignore": "ignores {signal} from now on",
    "default": "sets {signal} back to its default",
}
_CLEANUPS = {"finally": "its finally block", "atexit": "an atexit function"}
_SENTENCES = {
    "fork": "{who} starts {child}{asked}",
    "print": "{who} prints: {text}",
    "signal": "{who} sends {signal} to {to}{aside}",
    "handler": "{who} {action}",
    "handled": "{who}: the handler of {signal} runs",
    "cleanup": "{who} runs {by}",
    "call": "{who}: {call} {took}",
    "die": "{who} ends{how}",
    "reap": "{who} reaps {child}{zombie}",
    "adopt": "{by} adopts the orphan {who}",
    "again": "{who} is one of {count} that do the same: the others are left out",
}
#: The signs of a picture, in the order in which they are drawn.
_SIGNS = {
    "w": "a call of the example that took long, or never returned",
    "l": "a process, from its start to its death",
    "z": "a zombie: dead, and not yet reaped",
    "f": "a process starts another",
    "r": "a process reaps another",
    "a": "an orphan is adopted",
    "s": "a signal, from its sender to its receiver; a ring, if it sends it to itself",
    "h": "",
    "p": "a line that the example prints",
    "c": "a handler is installed or runs, a cleanup runs, or a call begins",
    "d": "a process dies",
}
#: What the method page draws for each sign, 30 pixels wide and 20 high.
_SAMPLES = {
    "l": {"l": "M15 1v18"},
    "w": {"w": "M15 3v14", "l": "M15 1v18"},
    "z": {"z": "M15 1v18"},
    "f": {"f": "M5 10H25m-2.5-2.5a2.5 2.5 0 1 0 .1 0"},
    "r": {"r": "M5 10H25"},
    "a": {"l": "M15 1v18", "a": "M11 10a4 4 0 1 0 8 0a4 4 0 1 0-8 0"},
    "s": {"s": "M3 10H26", "h": "M26 10l-5-3v6z"},
    "p": {"l": "M15 1v18", "p": "M15 10h0"},
    "c": {"l": "M15 1v18", "c": "M15 10h0"},
    "d": {"l": "M15 1v9", "d": "M11 6l8 8m0-8l-8 8"},
}


def files() -> dict[str, str]:
    """Return the timeline of each example, and the signs for the method page."""
    found = {
        f"timelines/{example.name}.html": of(example)
        for example in examples.find()
        if trace.path_of(example).exists()
    }
    return {**found, "signs.html": signs()}


def of(example: Example) -> str:
    """The timelines of an example, one for each start method."""
    path = trace.path_of(example)
    if not path.exists():
        return "<p>No run of it was traced.</p>\n"
    data = json.loads(path.read_text("utf-8"))
    link = "../../../evidence"
    parts = [
        _details(data, methods, is_open=number == 0)
        for number, methods in enumerate(_same(data["methods"]))
    ]
    return "\n".join(
        [
            *parts,
            f'<p class="measured-method">A run on CPython {escape(data["python"])}, '
            f"{escape(data['kernel'])}, {data['date']}: "
            f'<a href="{link}/timelines/{example.name}.json">its events</a>, '
            f'<a href="{link}/method/#timelines">how they were recorded</a>, and '
            f'<a href="{link}/method/#signs">what the signs mean</a>. '
            "Times in milliseconds; down the page is later, not to scale.</p>",
            "",
        ]
    )


def signs() -> str:
    """What each sign means: for the page on the method."""
    rows = []
    for sign, sample in _SAMPLES.items():
        picture = "".join(f'<path class="{c}" d="{d}"/>' for c, d in sample.items())
        rows.append(
            '<tr><td><svg viewBox="0 0 30 20" width="30" height="20" '
            f'aria-hidden="true">{picture}</svg></td><td>{_SIGNS[sign]}</td></tr>'
        )
    head = "<thead><tr><th>Sign</th><th>Meaning</th></tr></thead>"
    table = f"<table>\n{head}\n<tbody>\n{_lines(rows)}\n</tbody>\n</table>"
    return f'<div class="timeline signs">{table}</div>\n'


def _lines(rows: list[str]) -> str:
    return "\n".join(rows)


def _same(methods: dict[str, list[Event]]) -> list[list[str]]:
    """The start methods, together where the processes do the same."""
    groups: dict[str, list[str]] = {}
    for method, events in methods.items():
        groups.setdefault(repr(_stories(events)), []).append(method)
    return list(groups.values())


def _stories(events: list[Event]) -> dict[str, list[list[Any]]]:
    """What each process does and suffers in its order, but for times and servers.

    The order between processes is another from run to run.
    """
    stories: dict[str, list[list[Any]]] = {"main": []}
    kept = ("what", "child", "to", "signal", "action", "text", "by")
    for event in events:
        who = event.get("asker") or event["who"]
        if event["what"] == "call" or event.get("child") == "forkserver":
            continue
        if event["what"] == "reap":
            stories.setdefault(event["child"], []).append(["reap"])
        elif who != "forkserver":
            story = [event.get(key) for key in kept]
            if event["what"] == "die":
                story.append(event["code"])
            stories.setdefault(who, []).append(story)
    return dict(sorted(stories.items()))


def _details(data: dict[str, Any], methods: list[str], *, is_open: bool) -> str:
    events = _folded(_with_zombies(data["methods"][methods[0]]))
    shown = events[:SHOWN]
    more = len(events) - len(shown)
    rest = f"<p>{more} more events: see the JSON.</p>" if more else ""
    title = "Timeline"
    if methods != ["own"]:
        title += f" under {methods[0]}"
    if methods[1:]:
        title += f"; the same happens under {' and '.join(methods[1:])}"
    items = "".join(
        f"<li>{event['ms']:.0f} ms: {escape(in_words(event))}</li>" for event in shown
    )
    picture = draw(shown, f"{title}: {data['example']}")
    return (
        f'<details class="timeline"{" open" if is_open else ""}>'
        f"<summary>{title}</summary>\n{picture}\n"
        f"<details><summary>In words</summary><ol>{items}</ol></details>{rest}</details>"
    )


def _with_zombies(events: list[Event]) -> list[Event]:
    """The events, with how long the reaped were dead, if it was long."""
    died = {event["who"]: event["ms"] for event in events if event["what"] == "die"}
    told = []
    for event in events:
        zombie = event["ms"] - died.get(event.get("child"), event["ms"])
        is_long = event["what"] == "reap" and zombie >= LONG
        told.append(event | {"zombie": zombie} if is_long else event)
    return told


def _folded(events: list[Event]) -> list[Event]:
    """The events, with one process for many of a name that do the same."""
    groups: dict[tuple[str, str], list[str]] = {}
    for name in _lanes(events):
        role, _, number = name.rpartition(" ")
        if number.isdecimal():
            groups.setdefault((role, _story(events, name)), []).append(name)
    hidden: set[str] = set()
    ends: dict[int, list[Event]] = {}
    for names in groups.values():
        if len(names) >= MANY:
            first = names[0]
            hidden |= set(names[1:])
            last = max(n for n, event in enumerate(events) if first in _of(event))
            again = {"ms": events[last]["ms"], "what": "again", "who": first}
            ends.setdefault(last, []).append(again | {"count": len(names)})
    folded: list[Event] = []
    for place, event in enumerate(events):
        if not hidden & _of(event):
            folded.append(event)
        folded += ends.get(place, [])
    return _merged(folded)


def _merged(events: list[Event]) -> list[Event]:
    """The events, with one cleanup for several in a row."""
    merged: list[Event] = []
    for event in events:
        last = merged[-1] if merged else {}
        alike = all(event.get(key) == last.get(key) for key in ("what", "who", "by"))
        if event["what"] == "cleanup" and alike:
            merged[-1] = last | {"times": last.get("times", 1) + 1}
        else:
            merged.append(event)
    return merged


def _of(event: Event) -> set[str]:
    """The processes that an event is of."""
    return {event[key] for key in ("who", "child", "to") if key in event}


def _story(events: list[Event], name: str) -> str:
    kept = ("what", "signal", "action", "text", "code")
    return repr(
        [
            [event.get(key) or 0 for key in kept] + [event["who"] == name]
            for event in events
            if name in _of(event) and event["what"] != "call"
        ]
    )


def in_words(event: Event) -> str:
    """An event as a sentence."""
    words = dict(event)
    if "signal" in event:
        words["signal"] = signal.Signals(event["signal"]).name
    if event.get("to") == event["who"]:
        words["to"] = "itself"
    words["aside"] = ", as to all of its group" if event.get("group") else ""
    words["aside"] += ", which is dead" if event.get("dead") else ""
    words["asked"] = f", asked by {event['asker']}" if "asker" in event else ""
    by = event.get("by", "init")
    words["by"] = _CLEANUPS.get(by, by)
    if "times" in event:
        words["by"] += f", {event['times']} times in a row"
    words["action"] = _ACTIONS.get(event.get("action", ""), "").format_map(words)
    took = event.get("took")
    words["took"] = "never returns" if took is None else f"takes {took:.0f} ms"
    zombie = event.get("zombie")
    words["zombie"] = f", a zombie for {zombie:.0f} ms" if zombie else ""
    words["how"] = _how(event.get("code"))
    return _SENTENCES[event["what"]].format_map(words)


def _how(code: int | None) -> str:
    if code is None:
        return ""
    name = ExitStatus(code).signal_name
    return f": killed by {name}" if name else f" with exit code {code}"


def draw(events: list[Event], title: str) -> str:
    """The picture: a lane for each process, an event in each row."""
    return _Picture(events).svg(title)


class _Picture:
    """The shapes of each sign, and the texts beside them."""

    def __init__(self, events: list[Event]) -> None:
        self._events = events
        lanes = _lanes(events)
        step = min(16.0, 140 / len(lanes))
        self._x = {name: round(8 + step * n, 1) for n, name in enumerate(lanes)}
        self._left = round(10 + step * len(lanes))
        self._signs: dict[str, str] = dict.fromkeys(_SIGNS, "")
        self._top = 10 + 7 * max(map(len, lanes))  # Names are short, and may be wide.
        self._texts = [
            f'<text transform="translate({x + 4:g} {self._top - 6})rotate(-90)">'
            f"{escape(name)}</text>"
            for name, x in self._x.items()
        ]
        self._begun: dict[str, float] = {"main": self._top - 2}
        self._dead: dict[str, float] = {}
        #: Where each row is, by its time.
        self._rows: list[tuple[float, float]] = []
        self._bottom = self._write_rows()
        for event, (_, y) in zip(events, self._rows, strict=True):
            self._draw(event, y)
        for event, (_, y) in zip(events, self._rows, strict=True):
            if event["what"] == "call":
                self._draw_call(event, y)
        for name, top in self._begun.items():
            self._add("l", name, top, f"V{self._dead.get(name, self._bottom):g}")

    def _add(self, sign: str, name: str, y: float, path: str) -> None:
        if name in self._x:
            self._signs[sign] += f"M{self._x[name]:g} {y:g}{path}"

    def _write_rows(self) -> float:
        """The texts; where the last one ends."""
        y = self._top + 10.0
        width = int((WIDTH - self._left) / LETTER)
        before = self._events[0]["ms"]
        for event in self._events:
            if event["ms"] - before >= LONG:
                gap = f"\u22ee {event['ms'] - before:.0f} ms"
                self._texts.append(
                    f'<text class="t" x="{self._left}" y="{y:g}">{gap}</text>'
                )
                y += GAP
            before = event["ms"]
            time = f"{event['ms']:.0f}"
            lines = textwrap.wrap(f"{time} {in_words(event)}", width)
            lines[0] = lines[0].removeprefix(time)
            spans = [f'<tspan class="t">{time}</tspan>{escape(lines[0])}']
            spans += [
                f'<tspan x="{self._left}" dy="{LINE}">{escape(line)}</tspan>'
                for line in lines[1:]
            ]
            self._texts.append(
                f'<text x="{self._left}" y="{y + 4:g}">{"".join(spans)}</text>'
            )
            self._rows.append((event["ms"], y))
            y += ROW + LINE * (len(lines) - 1)
        return y - 6

    def _draw(self, event: Event, y: float) -> None:
        """What an event looks like."""
        who = event["who"]
        match event["what"]:
            case "fork":
                child = event["child"]
                self._begun.setdefault(child, y)
                ring = "m-2.5 0a2.5 2.5 0 1 0 5 0a2.5 2.5 0 1 0-5 0"
                self._add("f", who, y, f"H{self._x[child]:g}{ring}")
            case "signal":
                self._draw_signal(who, event["to"], y)
            case "die":
                self._dead[who] = y
                self._add("d", who, y, "m-4-4l8 8m0-8l-8 8")
            case "reap":
                child = event["child"]
                self._add("z", child, self._dead.get(child, y), f"V{y:g}")
                if child in self._x:
                    self._add("r", who, y, f"H{self._x[child]:g}")
            case "adopt":
                self._begun.setdefault(who, y)
                self._add("a", who, y, "m-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0")
                self._add("r", event.get("by", "init"), y, f"H{self._x[who]:g}")
            case "print":
                self._add("p", who, y, "h0")
            case "handler" | "handled" | "cleanup" | "call":
                self._add("c", who, y, "h0")

    def _draw_signal(self, who: str, to: str, y: float) -> None:
        start, end = self._x.get(who, 0), self._x[to]
        if start == end:
            self._add("s", to, y, "m-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0")
            return
        self._add("s", who, y, f"H{end:g}")
        self._add("h", to, y, f"l{-5 if end > start else 5}-3v6z")

    def _draw_call(self, event: Event, y: float) -> None:
        """A bar, as long as the call lasts."""
        if event["took"] is None:
            end = self._dead.get(event["who"], self._bottom)
        else:
            ms = event["ms"] + event["took"]
            later = (y - ROW / 2 for at, y in self._rows if at >= ms)
            end = next(later, self._bottom)
        self._add("w", event["who"], y, f"V{end:g}")

    def svg(self, title: str) -> str:
        """All of it."""
        height = round(self._bottom + 6)
        paths = "".join(
            f'<path class="{sign}" d="{path}"/>'
            for sign, path in self._signs.items()
            if path
        )
        return (
            f'<svg viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
            f'role="img" aria-label="{escape(title)}"><title>{escape(title)}</title>'
            f"<desc>{escape(_summary(self._events))}</desc>"
            f"{paths}{''.join(self._texts)}</svg>"
        )


def _lanes(events: list[Event]) -> list[str]:
    """The processes in the order of their appearance."""
    names = ["main"]
    for event in events:
        for key in ("who", "child", "to"):
            name = event.get(key)
            if name and name != "init" and name not in names:
                names.append(name)
    return names


def _summary(events: list[Event]) -> str:
    """The picture in a sentence."""
    lanes = _lanes(events)
    sent = sum(event["what"] == "signal" for event in events)
    return (
        f"{len(lanes)} processes: {', '.join(lanes)}. {len(events)} events, "
        f"{sent} of them signals. The list in words follows."
    )
