"""Draws a timeline: a lane for each process, and a row for each event.

Each row has a picture of its own, as high as its text, and the bars of the lanes go
through it. So the text is that of the page: it wraps, and can be read and copied.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

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
from evidence.render.timelines.events import LONG, Row, lanes

#: Pixels: where the signs of a row are, and a bar that goes through a row of any height.
SIGN, ALL = 10, 999
#: Pixels between two lanes, and of all lanes, at most.
STEP, WIDTH = 16.0, 140

#: The signs of a picture, in the order in which they are drawn: classes of paths.
#: templates/signs.html says what each of them means.
SIGNS = "wlzfrashpcd"


class Picture:
    """The lanes and their names, and the paths of each sign in each row.

    The place of row n is 2n, and the place of its signs is 2n + 1.
    """

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows
        names = lanes([row.event for row in rows if row.event])
        step = min(STEP, WIDTH / len(names))
        self.x = {name: round(8 + step * n, 1) for n, name in enumerate(names)}
        self.width = round(10 + step * len(names))
        #: The height of the names above the lanes.
        self.top = 10 + 7 * max(map(len, names))
        self._signs = [dict.fromkeys(SIGNS, "") for _ in rows]
        self._begun: dict[str, int] = {"main": 0}
        self._dead: dict[str, int] = {}
        events = [(n, row.event) for n, row in enumerate(rows) if row.event]
        for n, event in events:
            self._draw(event, n)
        for n, event in events:
            if isinstance(event, Call):
                self._bar("w", event.who, 2 * n + 1, self._end(event))
        for name, begun in self._begun.items():
            self._bar("l", name, begun, self._dead.get(name, 2 * len(rows)))

    def _add(self, sign: str, name: str, n: int, path: str, y: int = SIGN) -> None:
        if name in self.x:
            self._signs[n][sign] += f"M{self.x[name]:g} {y}{path}"

    def _bar(self, sign: str, name: str, first: int, last: int) -> None:
        """Add a bar from one place to another to each row between them."""
        for n in range(first // 2, (last + 1) // 2):
            top = SIGN if first == 2 * n + 1 else 0
            bottom = SIGN if last == 2 * n + 1 else ALL
            self._add(sign, name, n, f"V{bottom}", top)

    def _draw(self, event: Event, n: int) -> None:
        """Add the signs of an event."""
        who, place = event.who, 2 * n + 1
        match event:
            case Fork(child=child):
                self._begun.setdefault(child, place)
                ring = "m-2.5 0a2.5 2.5 0 1 0 5 0a2.5 2.5 0 1 0-5 0"
                self._add("f", who, n, f"H{self.x[child]:g}{ring}")
            case Signal(to=to) if to == who:
                self._add("s", to, n, "m-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0")
            case Signal(to=to):
                end = self.x[to]
                self._add("s", who, n, f"H{end:g}")
                back = -5 if end > self.x.get(who, 0) else 5
                self._add("h", to, n, f"l{back}-3v6z")
            case Die():
                self._dead[who] = place
                self._add("d", who, n, "m-4-4l8 8m0-8l-8 8")
            case Reap(child=child):
                self._bar("z", child, self._dead.get(child, place), place)
                if child in self.x:
                    self._add("r", who, n, f"H{self.x[child]:g}")
            case Adopt(by=by):
                self._begun.setdefault(who, place)
                self._add("a", who, n, "m-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0")
                self._add("r", by, n, f"H{self.x[who]:g}")
            case Print():
                self._add("p", who, n, "h0")
            case _:
                self._add("c", who, n, "h0")

    def _end(self, call: Call) -> int:
        """Return where the bar of a call ends."""
        if call.took is None:
            return self._dead.get(call.who, 2 * len(self._rows))
        end = call.ms + call.took
        rows = enumerate(self._rows)
        return next((2 * n for n, row in rows if row.ms >= end), 2 * len(self._rows))

    def items(self) -> Iterator[tuple[Row, dict[str, str], float]]:
        """Yield each row with its signs, and the time after it, or 0 if it is short."""
        gaps = [b.ms - a.ms for a, b in pairwise(self._rows)] + [0.0]
        for row, signs, gap in zip(self._rows, self._signs, gaps, strict=True):
            yield row, signs, gap if gap >= LONG else 0
