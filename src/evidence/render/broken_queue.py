"""Draws the record of broken queues: the plot, the tables and the page."""

import re
from html import escape
from io import StringIO
from math import sqrt
from typing import Any

from evidence.studies import broken_queue as howoften
from evidence.studies import queue_program as broken_queue
from evidence.studies.broken_queue import CAPACITY, DRAWN, OUTCOMES, PIPE_BUF, SERIES

#: What is drawn of a point: who hangs, and in which outcomes.
HANGS = {"writer": ("writer", "both"), "reader": ("reader", "both")}
LABELS = {"writer": "the next writer hangs", "reader": "the reader hangs"}
#: For a share of 95 %: this many standard deviations to each side.
_Z = 1.959964
#: Colours that stand for one that the page sets; a lone file shows the second.
_COLOURS = {
    "#010101": "currentColor",
    "#020202": "var(--plot-writer, #c2410c)",
    "#030303": "var(--plot-reader, #1565c0)",
}
_TEXT, _WRITER, _READER = _COLOURS
#: The picture is made for a phone: pixels, as many as points at 72 to the inch.
WIDTH, HEIGHT = 360, 440


def files() -> dict[str, str]:
    """Return the plot of the page on broken queues."""
    return {"howoften.html": fragment(howoften.load())}


def interval(hits: int, runs: int) -> tuple[float, float]:
    """Where the true share lies, by 95 in 100: Wilson's interval."""
    share = hits / runs
    middle = share + _Z**2 / (2 * runs)
    half = _Z * sqrt(share * (1 - share) / runs + _Z**2 / (4 * runs**2))
    scale = 1 + _Z**2 / runs
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


def counts(point: dict[str, Any]) -> dict[str, int]:
    """How many runs had which outcome."""
    return {outcome: len(point["runs"][outcome]) for outcome in OUTCOMES}


def hangs(point: dict[str, Any], who: str) -> int:
    """In how many runs the reader, or the next writer, hung."""
    found = counts(point)
    return sum(found[outcome] for outcome in HANGS[who])


def sorted_points(series: dict[str, Any]) -> list[tuple[int, dict[str, Any]]]:
    """The points by size."""
    return sorted((int(size), point) for size, point in series["points"].items())


def fragment(data: dict[str, Any]) -> str:
    """The plot, as HTML for the page."""
    return f'<div class="plot">{plot(data)}</div>\n'


def plot(data: dict[str, Any]) -> str:
    """The picture, as SVG that takes its colours from the page."""
    # Slow to import, and needed here only.
    from matplotlib import style  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    wanted: dict[str, Any] = {
        "axes.edgecolor": _TEXT,
        "axes.labelcolor": _TEXT,
        "font.size": 11,
        "svg.fonttype": "none",
        "svg.hashsalt": "howoften",
        "text.color": _TEXT,
        "xtick.color": _TEXT,
        "ytick.color": _TEXT,
    }
    with style.context(["default", wanted]):
        figure = Figure(figsize=(WIDTH / 72, HEIGHT / 72))
        # Fixed places: what depends on fonts differs between machines.
        for number, name in enumerate(DRAWN):
            bottom = 0.565 - 0.45 * number
            axes = figure.add_axes((0.13, bottom, 0.84, 0.29))
            _draw_series(axes, data["series"][name], last=name == DRAWN[-1])
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(
            handles, labels, loc=(0.11, 0.91), frameon=False, ncols=1, fontsize=11
        )
        drawn = StringIO()
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(drawn, format="svg", transparent=True, metadata=nothing)
    return _for_a_page(drawn.getvalue(), _summary(data))


def _draw_series(axes: Any, series: dict[str, Any], *, last: bool) -> None:
    """One panel: for each size, how often the next writer and the reader hung."""
    looks: dict[str, dict[str, Any]] = {
        "writer": {"color": _WRITER, "marker": "o", "linestyle": "-"},
        "reader": {
            "color": _READER,
            "marker": "s",
            "linestyle": "--",
            "markerfacecolor": "none",
        },
    }
    points = sorted_points(series)
    for who, aside in ("writer", 0.96), ("reader", 1.04):
        runs = [howoften.count(point) for _, point in points]
        hits = [hangs(point, who) for _, point in points]
        shares = [100 * h / n for h, n in zip(hits, runs, strict=True)]
        ends = [interval(h, n) for h, n in zip(hits, runs, strict=True)]
        axes.errorbar(
            [size * aside for size, _ in points],
            shares,
            yerr=[
                [max(0.0, s - 100 * e[0]) for s, e in zip(shares, ends, strict=True)],
                [max(0.0, 100 * e[1] - s) for s, e in zip(shares, ends, strict=True)],
            ],
            label=LABELS[who],
            capsize=2,
            linewidth=1.4,
            markersize=5,
            **looks[who],
        )
    for size, text in (PIPE_BUF, "PIPE_BUF"), (CAPACITY, "the pipe's size"):
        axes.axvline(size, color=_TEXT, alpha=0.5, linewidth=0.8, linestyle=":")
        if last:
            axes.annotate(
                text,
                (size, 97),
                xytext=(-3, 0),
                textcoords="offset points",
                horizontalalignment="right",
                verticalalignment="top",
                rotation=90,
                fontsize=10,
            )
    pause = series["pause_ms"]
    title = (
        f"{pause:g} ms asleep after each put()" if pause else "put() without a pause"
    )
    axes.set_title(title, loc="left", fontsize=12, color=_TEXT)
    axes.set_xscale("log")
    axes.set_xlim(5, 2_000_000)
    axes.set_ylim(-4, 104)
    axes.set_yticks([0, 25, 50, 75, 100])
    axes.set_ylabel("% of the runs")
    ticks = {10: "10 B", 1_000: "1 kB", 100_000: "100 kB", 1_000_000: "1 MB"}
    axes.set_xticks(list(ticks), labels=list(ticks.values()))
    axes.minorticks_off()
    axes.grid(visible=True, axis="y", color=_TEXT, alpha=0.2, linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    if last:
        axes.set_xlabel("size of a message")


def _for_a_page(svg: str, summary: str) -> str:
    """Keep of a file what may stand inside a page."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<g id="\w+\.?\w*"', "<g", svg)  # Ids of a page are its own.
    svg = re.sub(r"font: ([\d.]+)px [^;\"]*", r"font-size: \1px", svg)
    svg = re.sub(r"font-family: [^;\"]*; ?", "", svg)
    for colour, wanted in _COLOURS.items():
        svg = svg.replace(colour, wanted)
    title = "How often a queue breaks, by the size of its messages"
    head = (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        'role="img" aria-labelledby="howoften-title howoften-desc" '
        'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        'stroke-linejoin="round" fill="currentColor">'
        f'<title id="howoften-title">{escape(title)}</title>'
        f'<desc id="howoften-desc">{escape(summary)}</desc>'
    )
    svg = head + svg[svg.index(">") + 1 :]
    # A blank line would end the HTML for Markdown, and a tag stays on its line.
    svg = re.sub(r"\s*\n\s*", "\n", svg).strip()
    svg = re.sub(r"<[^>]+>", lambda tag: tag[0].replace("\n", " "), svg)
    # As attributes: the site's policy allows no styles in the page.
    return re.sub(r'style="([^"]*)"', lambda style: _attributes(style[1]), svg)


def _attributes(style: str) -> str:
    """What a style says, said by attributes."""
    parts = [part.split(":", 1) for part in style.split(";") if part.strip()]
    return " ".join(f'{name.strip()}="{value.strip()}"' for name, value in parts)


def _summary(data: dict[str, Any]) -> str:
    """The picture in words."""
    said = []
    for name in DRAWN:
        shares = "; ".join(
            f"{size} bytes: next writer {_percent(hangs(point, 'writer'), point)}, "
            f"reader {_percent(hangs(point, 'reader'), point)}"
            for size, point in sorted_points(data["series"][name])
        )
        said.append(f"{SERIES[name].describe()}: {shares}.")
    return "Share of the runs in which they hang. " + " ".join(said)


def _percent(hits: int, point: dict[str, Any]) -> str:
    return f"{100 * hits / howoften.count(point):.3g} %"


def _table(data: dict[str, Any], name: str) -> str:
    """The numbers of a series."""
    series = data["series"][name]
    points = sorted_points(series)
    title = SERIES[name].describe()
    low = min(point["load_average"][0] for _, point in points)
    high = max(point["load_average"][1] for _, point in points)
    alone = sum(counts(point)["reader"] for _, point in points)
    heads = [
        "Bytes of a message",
        "Runs",
        "Usable",
        "Only the next writer hangs",
        "Reader and next writer hang",
        "Next writer hangs, %",
        "Reader hangs, %",
    ]
    return "\n".join(
        [
            f"### {title}\n",
            f'<div class="measured" tabindex="0" role="region" aria-label="{title}">',
            "<table>",
            "<caption>In brackets: 95 % intervals (Wilson). "
            f"Only the reader hung: {alone} runs. "
            f"Load average of the machine: {low:g} to {high:g}.</caption>",
            "<thead><tr>",
            *(f'<th scope="col">{head}</th>' for head in heads),
            "</tr></thead>",
            "<tbody>",
            *(_row(size, point) for size, point in points),
            "</tbody>",
            "</table>",
            "</div>",
        ]
    )


def _row(size: int, point: dict[str, Any]) -> str:
    found = counts(point)
    cells = [
        f"{howoften.count(point)}",
        *(f"{found[outcome]}" for outcome in ("usable", "writer", "both")),
        *(_share(hangs(point, who), howoften.count(point)) for who in HANGS),
    ]
    row = "".join(f"<td>{cell}</td>" for cell in cells)
    return f'<tr><th scope="row">{_grouped(size)}</th>{row}</tr>'


def _share(hits: int, runs: int) -> str:
    low, high = interval(hits, runs)
    return f"{100 * hits / runs:.1f} <span>[{100 * low:.1f}, {100 * high:.1f}]</span>"


def _grouped(size: int) -> str:
    """A number with thin gaps between the thousands."""
    return f"{size:,}".replace(",", "&#8239;")


def page(data: dict[str, Any]) -> str:
    """The page that shows the record."""
    loop = sorted_points(data["series"]["loop"])
    paced = sorted_points(data["series"]["paced"])
    atomic = [point for size, point in paced if size < PIPE_BUF]
    return _TEMPLATE.format(
        **{key: data[key] for key in ("python", "kernel", "date", "cores", "jobs")},
        tables="\n\n".join(
            _table(data, name) for name in SERIES if name in data["series"]
        ),
        timeout=broken_queue.TIMEOUT,
        longest=howoften.LONGEST,
        patience=broken_queue.PATIENCE,
        hang=broken_queue.HANG,
        reader_hang=broken_queue.HANG + broken_queue.READER_HANG,
        pause=SERIES["paced"].pause_ms,
        method=SERIES["loop"].method,
        least=min(howoften.count(point) for _, point in loop + paced),
        loop=_of_all([point for _, point in loop]),
        atomic=_of_all(atomic),
        whole=_of_all(
            [point for size, point in loop + paced if size < PIPE_BUF], "reader"
        ),
        large=_of_all([paced[-1][1]]),
        large_size=_grouped(paced[-1][0]),
    )


def _of_all(points: list[dict[str, Any]], who: str = "writer") -> str:
    """In how many runs it hung."""
    hits = sum(hangs(point, who) for point in points)
    return f"{hits} of {sum(map(howoften.count, points))}"


_TEMPLATE = """\
---
title: How often a queue breaks
description: A writer of a multiprocessing.Queue is terminated, hundreds of times for each size of message, and who hangs afterwards is counted.
---

# How often does a queue break when its writer is terminated?

As often as the signal finds the queue writing.
A worker that put messages without a pause left a broken queue in {loop} runs, over all sizes.
One that slept {pause} ms after each did so in {atomic} runs with messages below 4096 bytes, and in {large} with messages of {large_size} bytes.

The next writer hangs where the worker died with the queue's write lock in its hands: the item never arrives, and the process cannot exit.
The reader hangs, too, where a part of a message was in the pipe: `get(timeout)` ignores its timeout, and does not return.
A message that needs up to 4096 bytes (`PIPE_BUF`) is [written whole or not at all](https://man7.org/linux/man-pages/man7/pipe.7.html): there the reader hung in {whole} runs.

--8<-- "howoften.html"

A bar is the 95 % interval of a share; each point stands for {least} runs or more, under `{method}`.

## What to do instead

- Let writers return by themselves: [Stop without terminating](../examples/shared/stop_without_terminating.md)
- Give each worker a pipe of its own, which fails cleanly: [Terminate a sender in send()](../examples/shared/terminate_a_sender_in_send.md)
- The damage itself: [Terminate a writer in put()](../examples/shared/terminate_a_writer_in_put.md)
- No damage: [Terminate an idle writer](../examples/shared/terminate_an_idle_writer.md)

## The numbers

{tables}

## How this is measured

A worker puts messages of one size into a `Queue()` in a loop, and a reader drains it by `get(timeout={timeout:g})`.
At a random moment, up to {longest} ms after the first item came out, the main process calls `terminate()` on the worker and joins it.
Then another process puts one small item, and is to exit; the reader goes on as before.
The queue is **usable** if the item arrives and its writer exits; the **next writer hangs** if it is alive {hang:g} s after its `put()` returned, which is long for a few milliseconds of work; the **reader hangs** if `get()` has not raised `Empty` twice within {reader_hang:g} s.
Where the main process finds the write lock free after the worker's death, it waits {patience:g} s for the item, so that a slow machine is not taken for a broken queue.

`put()` only hands the message to a thread of the worker, which [holds the lock](https://github.com/python/cpython/blob/3.14/Lib/multiprocessing/queues.py) while it writes, while it waits for room in the pipe, and while it waits for its turn beside the code that puts.
A worker that puts without a pause always gives it more to write.
The sizes lie on both sides of `PIPE_BUF` and of the 65,536 bytes that a pipe holds on Linux; a larger message is never in it as a whole.

Measured on {date} with CPython {python} on {kernel}, with {cores} cores and {jobs} runs side by side.
The load averages below the tables are those of the whole machine, which other programs used, too; where they are far above {cores}, the writer often waits for a core, also while it holds the lock.
[The record](howoften.json) has the moment of each run, and follows [a schema](howoften.schema.json).

## Repeat it

```sh
make setup
.venv/bin/python -m evidence howoften --runs 200
```

It adds the runs that are missing, so it can be interrupted and called again.
Runs of another program than `src/evidence/broken_queue.py` as it is now, or of another Python or kernel, are dropped.
"""
