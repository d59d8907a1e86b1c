"""Draw how often a queue breaks, by the size of its messages, as SVG for a page."""

from math import log10, sqrt
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from evidence.studies.broken_queue import Point, Series

#: Who hangs, and in which outcomes.
HANGS = {"writer": ("writer", "both"), "reader": ("reader", "both")}
#: A page sets the colors; a lone file shows the second.
_COLORS = {
    "writer": "var(--plot-writer, #c2410c)",
    "reader": "var(--plot-reader, #1565c0)",
}
_DASHES: dict[str, dict[str, str]] = {
    "writer": {},
    "reader": {"stroke_dasharray": "5 3"},
}
_LABELS = {"writer": "the next writer hangs", "reader": "the reader hangs"}
#: Bytes that are written whole or not at all, and bytes that a pipe holds.
PIPE_BUF, CAPACITY = 4_096, 65_536
_TICKS = {10: "10 B", 1_000: "1 kB", 100_000: "100 kB", 1_000_000: "1 MB"}
#: Made for a phone: pixels.
_WIDTH, _HEIGHT = 360, 430
_LEFT, _RIGHT = 47, 350
_SMALLEST, _LARGEST = 5, 2_000_000
#: Where the panels have 100 % and 0 %.
_PANELS = ((74, 192), (268, 386))
#: This many standard deviations to each side are a 95 % interval.
_Z = 1.959964


def interval(hits: int, runs: int) -> tuple[float, float]:
    """Return the 95 % interval of a share: Wilson's."""
    share = hits / runs
    middle = share + _Z**2 / (2 * runs)
    half = _Z * sqrt(share * (1 - share) / runs + _Z**2 / (4 * runs**2))
    scale = 1 + _Z**2 / runs
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


def hangs(point: Point, who: str) -> int:
    """Return in how many runs the reader, or the next writer, hung."""
    return sum(len(point.runs[outcome]) for outcome in HANGS[who])


def draw(drawn: dict[str, Series]) -> str:
    """Return the picture of two series by their titles, one above the other."""
    svg = Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "data-search-exclude": "true",
            "viewBox": f"0 0 {_WIDTH} {_HEIGHT}",
            "width": f"{_WIDTH}",
            "height": f"{_HEIGHT}",
            "role": "img",
            "aria-labelledby": "howoften-title howoften-desc",
            "fill": "currentColor",
            "font-size": "11",
        },
    )
    title = SubElement(svg, "title", id="howoften-title")
    title.text = "How often a queue breaks, by the size of its messages"
    SubElement(svg, "desc", id="howoften-desc").text = _in_words(drawn)
    for who, y in ("writer", 12), ("reader", 30):
        group = _group(svg, who)
        _line(group, _LEFT, y, _LEFT + 30, y, **_DASHES[who])
        _marker(group, who, _LEFT + 15, y)
        _text(svg, _LEFT + 40, y + 4, _LABELS[who])
    for (name, series), (top, bottom) in zip(drawn.items(), _PANELS, strict=True):
        _text(svg, _LEFT, top - 14, name, font_size="12")
        _draw_axes(svg, top, bottom)
        for who, aside in ("writer", -1.5), ("reader", 1.5):
            _draw_points(_group(svg, who), who, series, aside, (top, bottom))
    top, bottom = _PANELS[-1]
    for size, label in (PIPE_BUF, "PIPE_BUF"), (CAPACITY, "the pipe's size"):
        x, y = _x(size) - 4, top + 2
        turned = f"rotate(-90 {x:.1f} {y})"
        _text(svg, x, y, label, "end", font_size="10", transform=turned)
    _text(svg, (_LEFT + _RIGHT) / 2, _HEIGHT - 5, "size of a message", "middle")
    indent(svg, "")
    return tostring(svg, "unicode")


def _x(size: int) -> float:
    share = log10(size / _SMALLEST) / log10(_LARGEST / _SMALLEST)
    return _LEFT + share * (_RIGHT - _LEFT)


def _draw_axes(svg: Element, top: int, bottom: int) -> None:
    frame = SubElement(svg, "g", stroke="currentColor")
    for percent in 0, 25, 50, 75, 100:
        y = bottom - percent / 100 * (bottom - top)
        _line(frame, _LEFT, y, _RIGHT, y, stroke_opacity="0.2")
        _text(svg, _LEFT - 6, y + 4, f"{percent}", "end")
    for size in PIPE_BUF, CAPACITY:
        dotted = {"stroke_opacity": "0.5", "stroke_dasharray": "1 3"}
        _line(frame, _x(size), top - 5, _x(size), bottom + 5, **dotted)
    for size, label in _TICKS.items():
        _line(frame, _x(size), bottom + 5, _x(size), bottom + 9)
        _text(svg, _x(size), bottom + 20, label, "middle")
    _line(frame, _LEFT, top - 5, _LEFT, bottom + 5)
    _line(frame, _LEFT, bottom + 5, _RIGHT, bottom + 5)
    middle = (top + bottom) / 2
    turned = f"rotate(-90 12 {middle:g})"
    _text(svg, 12, middle, "% of the runs", "middle", transform=turned)


def _draw_points(
    group: Element, who: str, series: Series, aside: float, panel: tuple[int, int]
) -> None:
    """Draw a line through the shares of a series, and their intervals."""
    top, bottom = panel
    places = []
    for size, point in sorted(series.points.items()):
        hits, runs = hangs(point, who), point.count
        x = _x(size) + aside
        y, *ends = (
            bottom - share * (bottom - top)
            for share in (hits / runs, *interval(hits, runs))
        )
        places.append((x, y))
        _line(group, x, ends[0], x, ends[1])
        for end in ends:
            _line(group, x - 2, end, x + 2, end)
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    SubElement(group, "polyline", _attributes(_DASHES[who]), points=path, fill="none")
    for x, y in places:
        _marker(group, who, x, y)


def _group(parent: Element, who: str) -> Element:
    return SubElement(parent, "g", {"stroke": _COLORS[who], "stroke-width": "1.4"})


def _marker(group: Element, who: str, x: float, y: float) -> None:
    """Draw a full circle for the writer, and an empty square for the reader."""
    if who == "writer":
        place = {"cx": f"{x:.1f}", "cy": f"{y:.1f}", "r": "2.5"}
        SubElement(group, "circle", place, fill=_COLORS[who])
    else:
        place = {"x": f"{x - 2.5:.1f}", "y": f"{y - 2.5:.1f}"}
        SubElement(group, "rect", place, width="5", height="5", fill="none")


def _line(
    parent: Element, x1: float, y1: float, x2: float, y2: float, **looks: str
) -> None:
    ends = zip(("x1", "y1", "x2", "y2"), (x1, y1, x2, y2), strict=True)
    SubElement(
        parent, "line", {name: f"{at:.1f}" for name, at in ends} | _attributes(looks)
    )


def _text(
    parent: Element, x: float, y: float, text: str, anchor: str = "start", **looks: str
) -> None:
    place = {"x": f"{x:.1f}", "y": f"{y:.1f}", "text-anchor": anchor}
    SubElement(parent, "text", place | _attributes(looks)).text = text


def _attributes(looks: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in looks.items()}


def _in_words(drawn: dict[str, Series]) -> str:
    said = ["Share of the runs in which they hang."]
    for title, series in drawn.items():
        shares = "; ".join(
            f"{size} bytes: next writer {100 * hangs(point, 'writer') / point.count:.3g} %, "
            f"reader {100 * hangs(point, 'reader') / point.count:.3g} %"
            for size, point in sorted(series.points.items())
        )
        said.append(f"{title}: {shares}.")
    return " ".join(said)
