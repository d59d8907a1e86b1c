"""Draw how often a queue breaks, by the size of its messages, as SVG for a page."""

from math import log10, sqrt

from evidence.studies.broken_queue import Point, Series
from evidence.template import fill

#: Who hangs, and in which outcomes.
HANGS = {"writer": ("writer", "both"), "reader": ("reader", "both")}
#: Bytes that are written whole or not at all.
PIPE_BUF = 4_096
#: Bytes that matter to a pipe.
_LIMITS = {"PIPE_BUF": PIPE_BUF, "the pipe's size": 65_536}
#: Pixels of the ends of the axes, and bytes where the horizontal one begins and ends.
_LEFT, _RIGHT, _TOP, _BOTTOM = 47, 350, 74, 192
_SMALLEST, _LARGEST = 5, 2_000_000
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
    return fill(
        "queue_plot.svg",
        drawn=drawn,
        said=_in_words(drawn),
        limits=_LIMITS,
        points=_points,
        x_of=_x_of,
        y_of=_y_of,
    )


def _x_of(size: int) -> float:
    share = log10(size / _SMALLEST) / log10(_LARGEST / _SMALLEST)
    return round(_LEFT + share * (_RIGHT - _LEFT), 1)


def _y_of(share: float) -> float:
    return round(_BOTTOM - share * (_BOTTOM - _TOP), 1)


def _points(series: Series, who: str) -> list[tuple[float, float, float, float]]:
    """Return where the points of a series are: x, y, and y of the interval's ends."""
    found = []
    for size, point in sorted(series.points.items()):
        hits, runs = hangs(point, who), point.count
        shares = (hits / runs, *interval(hits, runs))
        y, low, high = map(_y_of, shares)
        found.append((_x_of(size), y, low, high))
    return found


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
