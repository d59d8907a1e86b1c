"""Draws a timeline as SVG: a lane for each process, a row for each event."""

import textwrap
from collections.abc import Sequence
from html import escape

from evidence.measure.timelines import (
    Adopt,
    Call,
    Die,
    Event,
    Fork,
    Print,
    Reap,
    Signal,
)
from evidence.render.events import LONG, Row, lanes

#: Pixels: the picture, a line of text, an event of one line, and a gap.
WIDTH, LINE, ROW, GAP = 330, 13, 19, 15
#: Pixels that a character takes on average in a wide font, such as DejaVu Sans;
#: a line of capitals may reach into the margin.
LETTER = 6.0

#: The signs of a picture, in the order in which they are drawn: classes of paths.
SIGNS = "wlzfrashpcd"
#: What each sign means, and how the legend draws it, 30 pixels wide and 20 high.
LEGEND = {
    "a process, from its start to its death": {"l": "M15 1v18"},
    "a call in the example that took long, or never returned": {
        "w": "M15 3v14",
        "l": "M15 1v18",
    },
    "a zombie: a dead process that is not reaped yet": {"z": "M15 1v18"},
    "a process starts another": {"f": "M5 10H25m-2.5-2.5a2.5 2.5 0 1 0 .1 0"},
    "a process reaps another": {"r": "M5 10H25"},
    "an orphan is adopted": {
        "l": "M15 1v18",
        "a": "M11 10a4 4 0 1 0 8 0a4 4 0 1 0-8 0",
    },
    "a signal, from its sender to its receiver; a ring if a process signals itself": {
        "s": "M3 10H26",
        "h": "M26 10l-5-3v6z",
    },
    "a line that the example prints": {"l": "M15 1v18", "p": "M15 10h0"},
    "a handler is installed or runs, a cleanup runs, or a call begins": {
        "l": "M15 1v18",
        "c": "M15 10h0",
    },
    "a process dies": {"l": "M15 1v9", "d": "M11 6l8 8m0-8l-8 8"},
}


def signs() -> str:
    """Return a table of what each sign means."""
    rows = "\n".join(
        '<tr><td><svg viewBox="0 0 30 20" width="30" height="20" aria-hidden="true">'
        f"{_paths(sample)}</svg></td><td>{meaning}</td></tr>"
        for meaning, sample in LEGEND.items()
    )
    return (
        '<div class="timeline signs"><table>\n'
        "<thead><tr><th>Sign</th><th>Meaning</th></tr></thead>\n"
        f"<tbody>\n{rows}\n</tbody>\n</table></div>\n"
    )


def draw(rows: Sequence[Row], title: str) -> str:
    """Return the picture of a timeline."""
    return _Picture(rows).svg(title)


def _paths(signs: dict[str, str]) -> str:
    return "".join(
        f'<path class="{sign}" d="{path}"/>' for sign, path in signs.items() if path
    )


class _Picture:
    """The paths of each sign, and the texts beside them."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows
        self._lanes = lanes([row.event for row in rows if row.event])
        step = min(16.0, 140 / len(self._lanes))
        self._x = {name: round(8 + step * n, 1) for n, name in enumerate(self._lanes)}
        self._left = round(10 + step * len(self._lanes))
        self._signs = dict.fromkeys(SIGNS, "")
        # Names are short, and may be wide.
        self._top = 10 + 7 * max(map(len, self._lanes))
        self._texts = [
            f'<text transform="translate({x + 4:g} {self._top - 6})rotate(-90)">'
            f"{escape(name)}</text>"
            for name, x in self._x.items()
        ]
        self._begun: dict[str, float] = {"main": self._top - 2}
        self._dead: dict[str, float] = {}
        self._bottom, heights = self._write()
        events = [
            (row.event, y) for row, y in zip(rows, heights, strict=True) if row.event
        ]
        for event, y in events:
            self._draw(event, y)
        for event, y in events:
            if isinstance(event, Call):
                self._add("w", event.who, y, f"V{self._end(event, heights):g}")
        for name, top in self._begun.items():
            self._add("l", name, top, f"V{self._dead.get(name, self._bottom):g}")

    def _add(self, sign: str, name: str, y: float, path: str) -> None:
        if name in self._x:
            self._signs[sign] += f"M{self._x[name]:g} {y:g}{path}"

    def _write(self) -> tuple[float, list[float]]:
        """Write the texts; return where the last one ends, and the y of each row."""
        x, y = self._left, self._top + 10.0
        heights = []
        before = self._rows[0].ms
        for row in self._rows:
            passed = row.ms - before
            if passed >= LONG:
                text = (
                    f'<text class="t" x="{x}" y="{y:g}">\u22ee {passed:.0f} ms</text>'
                )
                self._texts.append(text)
                y += GAP
            before = row.ms
            time = f"{row.ms:.0f}"
            width = int((WIDTH - x) / LETTER)
            first, *more = map(escape, textwrap.wrap(f"{time} {row.text}", width))
            text = f'<tspan class="t">{time}</tspan>{first.removeprefix(time)}'
            for line in more:
                text += f'<tspan x="{x}" dy="{LINE}">{line}</tspan>'
            self._texts.append(f'<text x="{x}" y="{y + 4:g}">{text}</text>')
            heights.append(y)
            y += ROW + LINE * len(more)
        return y - 6, heights

    def _draw(self, event: Event, y: float) -> None:
        """Add the signs of an event."""
        who = event.who
        match event:
            case Fork(child=child):
                self._begun.setdefault(child, y)
                ring = "m-2.5 0a2.5 2.5 0 1 0 5 0a2.5 2.5 0 1 0-5 0"
                self._add("f", who, y, f"H{self._x[child]:g}{ring}")
            case Signal(to=to) if to == who:
                self._add("s", to, y, "m-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0")
            case Signal(to=to):
                end = self._x[to]
                self._add("s", who, y, f"H{end:g}")
                back = -5 if end > self._x.get(who, 0) else 5
                self._add("h", to, y, f"l{back}-3v6z")
            case Die():
                self._dead[who] = y
                self._add("d", who, y, "m-4-4l8 8m0-8l-8 8")
            case Reap(child=child):
                self._add("z", child, self._dead.get(child, y), f"V{y:g}")
                if child in self._x:
                    self._add("r", who, y, f"H{self._x[child]:g}")
            case Adopt(by=by):
                self._begun.setdefault(who, y)
                self._add("a", who, y, "m-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0")
                self._add("r", by, y, f"H{self._x[who]:g}")
            case Print():
                self._add("p", who, y, "h0")
            case _:
                self._add("c", who, y, "h0")

    def _end(self, call: Call, heights: list[float]) -> float:
        """Return where the bar of a call ends."""
        if call.took is None:
            return self._dead.get(call.who, self._bottom)
        end = call.ms + call.took
        rows = zip(self._rows, heights, strict=True)
        return next((y - ROW / 2 for row, y in rows if row.ms >= end), self._bottom)

    def svg(self, title: str) -> str:
        """Return all of it."""
        height = round(self._bottom + 6)
        description = (
            f"Processes: {', '.join(self._lanes)}. Events: {len(self._rows)}. "
            "The list in words follows."
        )
        return (
            f'<svg viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
            f'role="img" aria-label="{escape(title)}"><title>{escape(title)}</title>'
            f"<desc>{escape(description)}</desc>"
            f"{_paths(self._signs)}{''.join(self._texts)}</svg>"
        )
