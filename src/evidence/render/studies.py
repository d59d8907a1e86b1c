"""Render the studies: tables, a plot and one line of facts for each of their pages."""

import ast

from markdown.extensions.toc import slugify

from evidence import pages
from evidence.render import queue_plot
from evidence.render.queue_plot import HANGS, PIPE_BUF, interval
from evidence.render.queue_plot import hangs as hangs_of
from evidence.studies import broken_queue, hangs, hostile_trees, programs, survivors
from evidence.studies.broken_queue import Point, Queues, Series
from evidence.studies.hangs import Hangs
from evidence.studies.programs import PROGRAMS, Call, Programs, Runs
from evidence.studies.study import Study
from evidence.studies.survivors import Outcome, Survivors
from evidence.studies.ways import PROMPT, WAYS
from evidence.template import fill, table
from process_terminate import ExitStatus

#: The series that are drawn: one above the other.
_DRAWN = ("loop", "paced")


def files() -> dict[str, str]:
    """Return the files that the pages of the studies embed."""
    found = {
        "survivors": of_survivors(survivors.load()),
        "broken_queue": of_queues(broken_queue.load()),
        "programs": of_programs(programs.load()),
        "hangs": of_hangs(hangs.load()),
    }
    return {
        f"studies/{study}/{name}": f"{text}\n"
        for study, parts in found.items()
        for name, text in parts.items()
    }


def of_survivors(data: Survivors) -> dict[str, str]:
    """Return the table of survivors, and how it was measured."""
    ways = [way.replace("stop_tree()", "`stop_tree()`") for way in WAYS]
    ways = [f"`{way}`" if way == "no_orphans()" else way for way in ways]
    rows = [
        [
            f"**{tree}**: {docstring(tree)}",
            *(_outcomes(tree, way, counted.outcomes[way]) for way in WAYS),
        ]
        for tree, counted in data.trees.items()
    ]
    prompt = "; ".join(
        f"{grace:g} seconds for {tree}" for tree, grace in PROMPT.items()
    )
    text = (
        f"Runs of a bold cell: {data.runs} or more; of each other cell: "
        f"{data.compare} or more. "
        f"The grace period was {data.grace:g} seconds; {prompt}. "
        + measured(data, f"psutil {data.psutil}", "survivors")
    )
    return {"table.md": table(["Tree", *ways], rows), "measured.md": text}


def docstring(tree: str) -> str:
    """Return the sentence that says what a tree does."""
    source = hostile_trees.path_of(tree).read_text("utf-8")
    return ast.get_docstring(ast.parse(source)) or ""


def _outcomes(tree: str, way: str, outcomes: list[tuple[int, Outcome]]) -> str:
    """Return what the runs left, with the number of runs if they differ from 0."""
    if [outcome for _, outcome in outcomes] == [Outcome()]:
        return "**0**" if survivors.is_promised(tree, way) else "0"
    found = [
        f"{_outcome(outcome)}&nbsp;({times}&times;)" for times, outcome in outcomes
    ]
    return "<br>".join(found)


def _outcome(outcome: Outcome) -> str:
    more = {
        f"{outcome.harmed} harmed": outcome.harmed,
        f"{outcome.names} left in `/dev/shm`": outcome.names,
        "whole grace period": outcome.late,
        f"`{outcome.error}`": outcome.error,
    }
    said = [text for text, is_so in more.items() if is_so]
    return ", ".join([str(outcome.survivors), *said])


def of_queues(data: Queues) -> dict[str, str]:
    """Return the plot, a summary, a table for each series, and how it was measured."""
    drawn = {_title(data.series[name]): data.series[name] for name in _DRAWN}
    machine = f"{data.cores} processors, {data.jobs} runs at a time"
    return {
        "plot.html": f'<div class="plot">{queue_plot.draw(drawn)}</div>',
        "summary.md": _summary(data),
        **{f"{name}.html": _numbers(series) for name, series in data.series.items()},
        "measured.md": measured(data, machine, "broken_queue"),
    }


def _title(series: Series) -> str:
    if series.pause_ms:
        return f"{series.pause_ms} ms asleep after each put()"
    return "put() without a pause"


def _summary(data: Queues) -> str:
    """Return in how many runs of the drawn series the queue broke."""
    rows = []
    for name in _DRAWN:
        points = data.series[name].points
        pause_ms = data.series[name].pause_ms
        pause = f"{pause_ms} ms" if pause_ms else "none"
        small = [point for size, point in points.items() if size <= PIPE_BUF]
        for label, wanted in (
            (f"up to {PIPE_BUF} bytes", small),
            (f"{_grouped(max(points))} bytes", [points[max(points)]]),
        ):
            total = sum(point.count for point in wanted)
            hung = [
                f"{sum(hangs_of(p, who) for p in wanted)} of {total}" for who in HANGS
            ]
            rows.append([pause, label, *hung])
    return table(["Pause", "Messages", "Next writer hung", "Reader hung"], rows)


def _numbers(series: Series) -> str:
    """Return the numbers of a series as an HTML table."""
    return fill(
        "queue_numbers.html",
        title=_title(series),
        series=series,
        points=dict(sorted(series.points.items())),
        grouped=_grouped,
        percentages=_percentages,
    ).rstrip()


def _percentages(point: Point, who: str) -> list[float]:
    """Return the share of the runs in which a process hung, and its interval."""
    hits, runs = hangs_of(point, who), point.count
    return [100 * share for share in (hits / runs, *interval(hits, runs))]


def _grouped(size: int) -> str:
    """Return a number with thin gaps between the thousands."""
    return f"{size:,}".replace(",", "\u202f")


def of_programs(data: Programs) -> dict[str, str]:
    """Return the table of real programs, and how it was measured."""
    heads = ["Program", "Runs", "Processes", "How they ended", "Longest, s", "Left"]
    rows = [_program(name, runs) for name, runs in data.programs.items()]
    psutil = f"psutil {data.psutil}"
    return {
        "table.md": table(heads, rows),
        "measured.md": measured(data, psutil, "programs"),
    }


def _program(name: str, found: Runs) -> list[str]:
    calls = [run.calls[0] for run in found.runs]
    alive = sum(len(call.alive) for run in found.runs for call in run.calls)
    title = PROGRAMS[name].title
    sizes = sorted({len(call.found) for call in calls})
    return [
        f"[{title}](#{slugify(title, '-')}) {found.version}",
        f"{len(found.runs)}",
        " to ".join(str(size) for size in dict.fromkeys([sizes[0], sizes[-1]])),
        _ends(calls),
        f"{max(call.seconds for call in calls):.2f}",
        f"{alive + sum(len(run.left) for run in found.runs)}",
    ]


def _ends(calls: list[Call]) -> str:
    """Return how each process ended, grouped by the way that it ended."""
    ends = {
        (end.name.split()[0], end.by, end.code) for call in calls for end in call.ended
    }
    names: dict[str, list[str]] = {}
    for name, by, code in sorted(ends, key=lambda end: (end[2] is None, str(end))):
        names.setdefault(_end(by, code), []).append(f"`{name}`")
    said = "; ".join(f"{', '.join(them)}: {how}" for how, them in names.items())
    return said or "not reported: the block returns nothing"


def of_hangs(data: Hangs) -> dict[str, str]:
    """Return what diagnose() printed of each program, and where it ran."""
    reports = {f"{name}.txt": "\n".join(said) for name, said in data.reports.items()}
    return {**reports, "measured.md": measured(data, "one run of each", "hangs")}


def _end(by: str | None, code: int | None) -> str:
    sent = f"`{by}`" if by else "already dead"
    if code is None:
        return f"{sent}, exit code unknown"
    status = ExitStatus(code)
    if status.killed:
        verb = "killed" if by == "SIGKILL" else "terminated"
        return f"{verb} by `{status.signal_name}`"
    return f"{sent}, exit code {code}"


def measured(data: Study, more: str, name: str) -> str:
    """Return when and where a study was measured, with a link to its data."""
    # An HTML link, because the data is beside the pages in the site only.
    return (
        f"Measured on {data.date} with CPython {data.python} on {data.kernel}, {more}: "
        f'<a href="{pages.root()}data/studies/{name}.json">results as JSON</a>.'
    )
