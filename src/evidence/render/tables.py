"""Render the recorded runs of each example as a table for its page."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from html import escape
from itertools import groupby

import msgspec
from packaging.version import Version

from evidence import examples
from evidence.examples import Example
from evidence.measure import runs as recorded
from evidence.measure.runs import Cell, Column, Outcome

PASSED, DIFFERED, UNTESTED = "passed", "differed", "not tested"
#: The runs are of an example that ran differently from the one of today.
EARLIER = "earlier"
SYSTEMS = {"linux": "Linux", "darwin": "macOS", "win32": "Windows"}


@dataclass(frozen=True)
class Count:
    """The runs of one or several cells."""

    runs: int = 0
    passed: int = 0
    outcomes: tuple[Outcome, ...] = ()
    is_earlier: bool = False

    @property
    def state(self) -> str:
        """Return passed, differed, not tested, or earlier."""
        if not self.runs:
            return UNTESTED
        if self.is_earlier:
            return EARLIER
        return PASSED if self.passed == self.runs else DIFFERED

    @property
    def html(self) -> str:
        """Return the cell of a table."""
        name = self.state.replace(" ", "-")
        if not self.runs:
            return f'<td class="{name}">{self.state}</td>'
        numbers = f"<span>{self.passed} of {self.runs}</span>"
        return f'<td class="{name}">{self.state} {numbers}</td>'


@dataclass(frozen=True)
class Results:
    """What was measured of an example."""

    example: Example

    @cached_property
    def columns(self) -> dict[str, Column]:
        """Return the interpreters: CPython first, each from the oldest version."""
        found = recorded.load(self.example).interpreters
        return dict(sorted(found.items(), key=lambda item: place(item[1])))

    @property
    def methods(self) -> tuple[str, ...]:
        """Return the start methods under which the example is run."""
        return examples.START_METHODS if self.example.follows_the_default else ("own",)

    def cells(self) -> Iterator[Cell]:
        """Yield each cell that has runs."""
        for column in self.columns.values():
            yield from column.cells.values()

    def counts(self) -> Iterator[Count]:
        """Yield the count of each cell, also of those without runs."""
        for key in self.columns:
            for method in self.methods:
                yield self.count(key, method)

    def count(self, key: str, *methods: str) -> Count:
        """Return the runs on an interpreter, by default under all start methods."""
        column = self.columns.get(key)
        if column is None:
            return Count()
        chosen = methods or self.methods
        cells = [column.cells[method] for method in chosen if method in column.cells]
        tallies = [tally for cell in cells for tally in cell.tallies()]
        return Count(
            sum(tally.runs for tally in tallies),
            sum(tally.passed for tally in tallies),
            merged(outcome for tally in tallies for outcome in tally.differed),
            column.hash != self.example.hash,
        )


def place(column: Column) -> tuple[str, Version, str]:
    """Return where a column stands among others."""
    return column.implementation, Version(column.version), column.platform


def merged(outcomes: Iterable[Outcome]) -> tuple[Outcome, ...]:
    """Add up the outcomes that differ only in their count."""
    found: dict[bytes, Outcome] = {}
    for outcome in outcomes:
        key = msgspec.json.encode(msgspec.structs.replace(outcome, count=0))
        count = found[key].count if key in found else 0
        found[key] = msgspec.structs.replace(outcome, count=count + outcome.count)
    return tuple(found.values())


def title(column: Column) -> str:
    """Return the name of an interpreter."""
    return f"{column.implementation} {column.version}"


def table(results: Results) -> str:
    """Return the section of an example's page that says where it was tested."""
    root = "../" * 3
    rows = [
        f'<tr><th scope="row">{"its own" if method == "own" else method}</th>'
        + "".join(results.count(key, method).html for key in results.columns)
        + "</tr>"
        for method in results.methods
    ]
    differed = any(count.state == DIFFERED for count in results.counts())
    return "\n".join(
        [
            f"<details{' open' if differed else ''}><summary>{_verdict(results)}"
            "</summary>",
            '<div class="measured" tabindex="0" role="region" aria-label="Tested on">',
            "<table>",
            f"<caption>{_caption(results)}</caption>",
            head(list(results.columns.values()), "Start method"),
            "<tbody>",
            *rows,
            "</tbody>",
            "</table>",
            "</div>",
            *_notes(results),
            *_outcomes(results),
            "</details>",
            f'<p class="measured-method"><a href="{root}evidence/method/">'
            f"How this is measured</a>; {_sources(results, root)}</p>",
            "",
        ]
    )


def head(columns: list[Column], corner: str) -> str:
    """Return the head of a table: the implementations, and their versions."""
    several = len({column.platform for column in columns}) > 1
    groups = groupby(columns, key=lambda column: _group(column, several=several))
    over = "".join(
        f'<th scope="colgroup" colspan="{len(list(group))}">{escape(name)}</th>'
        for name, group in groups
    )
    versions = "".join(
        f'<th scope="col">{escape(column.version)}</th>' for column in columns
    )
    return (
        f'<thead><tr><th scope="col" rowspan="2">{corner}</th>{over}</tr>'
        f"<tr>{versions}</tr></thead>"
    )


def _group(column: Column, *, several: bool) -> str:
    system = SYSTEMS.get(column.platform, column.platform)
    return f"{column.implementation} on {system}" if several else column.implementation


def _verdict(results: Results) -> str:
    """Return the table in one line."""
    counts = {key: results.count(key) for key in results.columns}
    current = [c for c in counts.values() if c.state in {PASSED, DIFFERED}]
    if not current:
        earlier = any(count.state == EARLIER for count in counts.values())
        return "Tested in an earlier version only" if earlier else "Not tested"
    runs = sum(count.runs for count in current)
    passed = sum(count.passed for count in current)
    share = f"all {runs}" if passed == runs else f"{passed} of {runs}"
    pythons = f"{len(current)} Python{'s' if len(current) > 1 else ''}"
    where = [
        title(results.columns[key])
        for key, count in counts.items()
        if count.state == DIFFERED
    ]
    differed = f"; differed on {escape(', '.join(where))}" if where else ""
    return f"Passed in {share} runs on {pythons}{differed}"


def _caption(results: Results) -> str:
    """Return when, on what and how often the example was run."""
    cells = list(results.cells())
    if not cells:
        return "Not tested."
    kernels = " and ".join(sorted({cell.kernel for cell in cells}))
    idle = sum(cell.idle.runs for cell in cells)
    loaded = sum(cell.loaded.runs for cell in cells)
    last = max(cell.date for cell in cells)
    return (
        f"Runs that printed the lines above: {idle} idle, {loaded} under load; "
        f"{escape(kernels)}, {last}."
    )


def _notes(results: Results) -> Iterator[str]:
    """Yield why columns have no runs, or runs of an earlier version."""
    notes: dict[str, list[str]] = {}
    for key, column in results.columns.items():
        if column.why_not:
            note = f"Not tested on {{}}: {escape(column.why_not)}."
            notes.setdefault(note, []).append(title(column))
        if results.count(key).state == EARLIER:
            note = "Of an earlier version of this example: the runs on {}."
            notes.setdefault(note, []).append(title(column))
    for note, titles in notes.items():
        yield f"<p>{note.replace('{}', ', '.join(map(escape, titles)))}</p>"


def _outcomes(results: Results) -> Iterator[str]:
    """Yield what the example did where it differed."""
    places: dict[str, list[str]] = {}
    for key, column in results.columns.items():
        for method in results.methods:
            count = results.count(key, method)
            for outcome in count.outcomes:
                where = f"{title(column)}, {method}: {outcome.count} of {count.runs}"
                places.setdefault(_describe(outcome), []).append(where)
    for text, where_ in places.items():
        summary = f"It differed on {escape('; '.join(where_))} runs"
        yield f"<details><summary>{summary}</summary>{text}</details>"


def _describe(outcome: Outcome) -> str:
    """Return what a run printed, and how it ended."""
    end = (
        "killed at its deadline"
        if outcome.status is None
        else f"exit status {outcome.status}"
    )
    left = f", {outcome.left} left running" if outcome.left else ""
    error = f"; the last line of stderr: {outcome.error}" if outcome.error else ""
    # A blank line would end the HTML for Markdown.
    lines = [escape(line) or " " for line in outcome.output] or ["nothing"]
    return f"<pre>{'&#10;'.join(lines)}</pre><p>{escape(end + left + error)}</p>"


def _sources(results: Results, root: str) -> str:
    """Return where the numbers are, and the systems that have none."""
    seen = {column.platform for column in results.columns.values()}
    others = [name for system, name in SYSTEMS.items() if system not in seen]
    untested = f"{' and '.join(others)}: not tested" if others else ""
    if not results.columns:
        return f"{untested}."
    data = f'<a href="{root}data/runs/{results.example.name}.json">results as JSON</a>'
    return f"{data}; {untested}." if untested else f"{data}."
