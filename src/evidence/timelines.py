"""Draws the recorded events of an example as a timeline: SVG, and the same in words."""

import json
import signal
import textwrap
from html import escape
from typing import Any

from evidence import examples, trace
from evidence.examples import Example
from evidence.tables import FRAGMENTS
from evidence.trace import Event
from process_terminate import ExitStatus

WIDTH = 360
#: Pixels: the height of a line of text, and of an event of one line.
LINE, ROW = 13, 19
#: Pixels that a letter takes on the average, in the smallest font of a page.
LETTER = 5.4
#: Events that a picture shows at most; what comes after looks the same.
SHOWN = 90

_ACTIONS = {
    "handle": "handles",
    "ignore": "ignores",
    "default": "no longer handles",
}
_SENTENCES = {
    "fork": "{who} starts {child}",
    "print": "{who} prints: {text}",
    "signal": "{who} sends {signal} to {to}{to_the_dead}",
    "handler": "{who} {action} {signal}",
    "handled": "{who}: the handler of {signal} runs",
    "die": "{who} ends{how}",
    "reap": "{who} reaps {child}",
    "adopt": "{who} is an orphan; init adopts it",
}


def write() -> None:
    """Draw all, and remove the drawings of examples that are gone."""
    wanted = {
        FRAGMENTS / "timelines" / f"{example.name}.html": of(example)
        for example in examples.find()
    }
    for path in FRAGMENTS.glob("timelines/*/*.html"):
        if path not in wanted:
            path.unlink()
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def of(example: Example) -> str:
    """The timelines of an example, one for each start method."""
    path = trace.path_of(example)
    if not path.exists():
        return "<p>No run of it was traced.</p>\n"
    data = json.loads(path.read_text("utf-8"))
    parts = [_one(data, method) for method in data["methods"]]
    link = f"../../../evidence/timelines/{example.name}.json"
    return "\n".join(
        [
            *parts,
            f'<p class="measured-method">A run on CPython {escape(data["python"])}, '
            f"{escape(data['kernel'])}, {data['date']}: "
            f'<a href="{link}">its events</a>. Times in milliseconds; the order '
            "down the page is that of the events.</p>",
            "",
        ]
    )


def _one(data: dict[str, Any], method: str) -> str:
    events = data["methods"][method]
    shown = events[:SHOWN]
    more = len(events) - len(shown)
    rest = f"<p>{more} more events: see the JSON.</p>" if more else ""
    first = method == next(iter(data["methods"]))
    title = "Timeline" if method == "own" else f"Timeline under {method}"
    items = "".join(
        f"<li>{event['ms']} ms: {escape(in_words(event))}</li>" for event in shown
    )
    picture = draw(shown, f"{title} of {data['example']}")
    return (
        f'<details class="timeline"{" open" if first else ""}>'
        f"<summary>{title}</summary>\n{picture}\n"
        f"<details><summary>In words</summary><ol>{items}</ol></details>{rest}</details>"
    )


def in_words(event: Event) -> str:
    """An event as a sentence."""
    words = dict(event)
    if "signal" in event:
        words["signal"] = signal.Signals(event["signal"]).name
    if event.get("to") == event["who"]:
        words["to"] = "itself"
    words["to_the_dead"] = ", which is dead" if event.get("dead") else ""
    words["action"] = _ACTIONS.get(event.get("action", ""), "")
    words["how"] = _how(event.get("code"))
    return _SENTENCES[event["what"]].format_map(words)


def _how(code: int | None) -> str:
    if code is None:
        return ""
    name = ExitStatus(code).signal_name
    return f": killed by {name}" if name else f" with exit code {code}"


def draw(events: list[Event], title: str) -> str:
    """The picture: a lane for each process, an event in each row."""
    lanes = _lanes(events)
    step = min(16.0, 150 / max(len(lanes), 1))
    x = {name: round(8 + step * number, 1) for number, name in enumerate(lanes)}
    left = round(8 + step * len(lanes) + 2)
    shapes: list[str] = []
    texts: list[str] = []
    y = 14.0
    begun: dict[str, float] = {"main": 4}
    dead: dict[str, float] = {}
    for event in events:
        who = event["who"]
        shapes += _shapes(event, x, y, begun, dead)
        time = f'<tspan class="t">{event["ms"]:g}</tspan> '
        width = int((WIDTH - left) / LETTER)
        lines = textwrap.wrap(f"{event['ms']:g} {in_words(event)}", width) or [""]
        lines[0] = lines[0].removeprefix(f"{event['ms']:g} ")
        spans = [time + escape(lines[0])]
        spans += [
            f'<tspan x="{left}" dy="{LINE}">{escape(line)}</tspan>'
            for line in lines[1:]
        ]
        texts.append(f'<text x="{left}" y="{y + 4:g}">{"".join(spans)}</text>')
        if event["what"] == "die":
            dead[who] = y
        y += ROW + LINE * (len(lines) - 1)
    bottom = y - 6
    for name, top in begun.items():  # Who was not reaped, or lives on.
        if name not in x:
            continue
        end = dead.pop(name, None)
        shapes.append(
            _line("life", x[name], top, x[name], bottom if end is None else end)
        )
    height = round(bottom + 6)
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" aria-label="{escape(title)}"><title>{escape(title)}</title>'
        f"<desc>{escape(_summary(events))}</desc>{''.join(shapes)}{''.join(texts)}</svg>"
    )


def _shapes(
    event: Event,
    x: dict[str, float],
    y: float,
    begun: dict[str, float],
    dead: dict[str, float],
) -> list[str]:
    """What an event looks like."""
    who = event["who"]
    here = x.get(who, 0)
    match event["what"]:
        case "fork":
            child = event["child"]
            begun[child] = y
            return [_line("fork", here, y, x[child], y), _dot("fork", x[child], y)]
        case "signal":
            return _arrow(here, x[event["to"]], y)
        case "die":
            return [
                f'<path class="die" d="M{here - 4:g} {y - 4:g}l8 8m0-8l-8 8"/>',
            ]
        case "reap" if event["child"] in x:
            child = event["child"]
            top = dead.get(child, y)
            shapes = [_line("zombie", x[child], top, x[child], y)]
            if who in x:
                shapes.append(_line("reap", here, y, x[child], y))
            return shapes
        case "adopt":
            return [f'<circle class="adopt" cx="{here:g}" cy="{y:g}" r="4"/>']
    return [_dot(event["what"], here, y)]


def _lanes(events: list[Event]) -> list[str]:
    """The processes in the order of their appearance."""
    names = ["main"]
    for event in events:
        for key in ("who", "child", "to"):
            name = event.get(key)
            if name and name != "init" and name not in names:
                names.append(name)
    return names


def _line(kind: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<path class="{kind}" d="M{x1:g} {y1:g}L{x2:g} {y2:g}"/>'


def _dot(kind: str, x: float, y: float) -> str:
    return f'<circle class="{kind}" cx="{x:g}" cy="{y:g}" r="3"/>'


def _arrow(start: float, end: float, y: float) -> list[str]:
    """A signal on its way; to itself it is a ring."""
    if start == end:
        return [f'<circle class="signal" cx="{end:g}" cy="{y:g}" r="5"/>']
    head = 4 if end > start else -4
    return [
        _line("signal", start, y, end, y),
        f'<path class="head" d="M{end:g} {y:g}l{-head} -3v6z"/>',
    ]


def _summary(events: list[Event]) -> str:
    """The picture in a sentence."""
    lanes = _lanes(events)
    sent = sum(event["what"] == "signal" for event in events)
    return (
        f"{len(lanes)} processes: {', '.join(lanes)}. {len(events)} events, "
        f"{sent} of them signals. The list in words follows."
    )
