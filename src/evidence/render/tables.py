"""Draws the records of runs as tables: one for each example, and one over all."""

from collections import Counter
from dataclasses import dataclass
from html import escape
from itertools import groupby
from typing import Any

import msgspec

from evidence import examples
from evidence.examples import Example
from evidence.measure import runs as recorded
from evidence.paths import BUILD as FRAGMENTS

LOADS = ("rest", "busy")
#: What a cell says, in words.
HELD, DIFFERS, NOT_MEASURED = "held", "differs", "not measured"

Records = dict[str, dict[str, Any]]


def load_all():
    """To be replaced: the runs in the shape that they had."""
    found = {}
    for example in examples.find():
        for key, column in recorded.load(example).interpreters.items():
            data = found.setdefault(
                key,
                {
                    "implementation": column.implementation,
                    "version": column.version,
                    "examples": {},
                },
            )
            entry = data["examples"][example.name] = {"version": column.version}
            if column.why_not:
                entry["why_not"] = column.why_not
            entry["cells"] = {
                m: {
                    "date": c.date,
                    "kernel": c.kernel,
                    **{
                        old: {
                            "runs": t.runs,
                            "held": t.passed,
                            "differed": [msgspec.to_builtins(o) for o in t.differed],
                        }
                        for old, t in zip(LOADS, c.tallies())
                    },
                }
                for m, c in column.cells.items()
            }
    return found


def version_of(data, example):
    return data["examples"].get(example.name, {}).get("version", data["version"])


def count_variant(variants, new):
    for variant in variants:
        if variant | {"count": 0} == new | {"count": 0}:
            variant["count"] += new["count"]
            return
    variants.append(new)


@dataclass(frozen=True)
class Cell:
    """An example under one start method, on one interpreter."""

    runs: int = 0
    held: int = 0
    outcomes: tuple[dict[str, Any], ...] = ()

    @property
    def state(self) -> str:
        """Held, differs, or not measured."""
        if not self.runs:
            return NOT_MEASURED
        return HELD if self.held == self.runs else DIFFERS


def cell_of(data: dict[str, Any], example: Example, method: str) -> Cell:
    """What a record says of an example under a start method."""
    entry = data["examples"].get(example.name, {})
    found = entry.get("cells", {}).get(method, {})
    loads = [found[load] for load in LOADS if load in found]
    outcomes: list[dict[str, Any]] = []
    for load in loads:
        for outcome in load["differed"]:
            count_variant(outcomes, dict(outcome))
    return Cell(
        runs=sum(load["runs"] for load in loads),
        held=sum(load["held"] for load in loads),
        outcomes=tuple(outcomes),
    )


def methods_of(example: Example) -> list[str]:
    """The rows of an example."""
    if not example.follows_the_default:
        return ["own"]
    return list(examples.START_METHODS)


def write() -> None:
    """Write all tables, and remove those of examples that are gone."""
    records = load_all()
    wanted = {
        FRAGMENTS / "tables" / f"{example.name}.html": table_of(records, example)
        for example in examples.find()
    }
    wanted[FRAGMENTS / "overview.html"] = overview(records)
    wanted[FRAGMENTS / "numbers.html"] = numbers(records)
    wanted[FRAGMENTS / "front.html"] = front(records)
    for path in FRAGMENTS.glob("tables/*/*.html"):
        if path not in wanted:
            path.unlink()
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def table_of(records: Records, example: Example) -> str:
    """The table on the page of an example."""
    records = {
        key: data | {"version": version_of(data, example)}
        for key, data in records.items()
    }
    depth = "../" * 3
    rows = [_row(records, example, m) for m in methods_of(example)]
    differs, verdict = _verdict(records, example)
    return "\n".join(
        [
            f"<details{' open' if differs else ''}><summary>{verdict}</summary>",
            '<div class="measured" tabindex="0" role="region" aria-label="Where it holds">',
            "<table>",
            f"<caption>{_caption(records, example)}</caption>",
            _head(records, depth, "Start method"),
            "<tbody>",
            *rows,
            "</tbody>",
            "</table>",
            "</div>",
            *_reasons(records, example),
            *_outcomes(records, example),
            "</details>",
            f'<p class="measured-method"><a href="{depth}evidence/method/">'
            "How this is measured</a>; macOS and Windows: not measured.</p>",
            "",
        ]
    )


def _verdict(records: Records, example: Example) -> tuple[bool, str]:
    """Whether it differed anywhere, and the table in one line."""
    cells = {key: overall(data, example) for key, data in records.items()}
    runs = sum(cell.runs for cell in cells.values())
    held = sum(cell.held for cell in cells.values())
    if not runs:
        return False, NOT_MEASURED.capitalize()
    measured = sum(bool(cell.runs) for cell in cells.values())
    pythons = f"{measured} Python{'s' if measured > 1 else ''}"
    differs = [
        _title(records[key]) for key, cell in cells.items() if cell.state == DIFFERS
    ]
    if not differs:
        return False, f"Held in all {runs} runs on {pythons}"
    where = escape(", ".join(differs))
    return True, f"Held in {held} of {runs} runs on {pythons}; differs on {where}"


def _caption(records: Records, example: Example) -> str:
    """When, on what, and how often it was run."""
    cells = [
        cell
        for data in records.values()
        for cell in data["examples"].get(example.name, {}).get("cells", {}).values()
    ]
    if not cells:
        return "Not measured."
    kernels = " and ".join(sorted({cell["kernel"] for cell in cells}))
    last = max(cell["date"] for cell in cells)
    return f"Runs that printed what stands above, on {escape(kernels)}, {last}."


def _head(records: Records, depth: str, corner: str) -> str:
    """The columns: implementations, and their versions."""
    groups = [
        (name, len(list(columns)))
        for name, columns in groupby(
            records.values(), key=lambda d: d["implementation"]
        )
    ]
    over = "".join(
        f'<th scope="colgroup" colspan="{count}">{escape(name)}</th>'
        for name, count in groups
    )
    versions = "".join(
        f'<th scope="col"><a href="{depth}evidence/runs/{key}.json">'
        f"{escape(data['version'])}</a></th>"
        for key, data in records.items()
    )
    return (
        f'<thead><tr><th scope="col" rowspan="2">{corner}</th>{over}</tr>'
        f"<tr>{versions}</tr></thead>"
    )


def _row(records: Records, example: Example, method: str) -> str:
    """A start method on all interpreters."""
    name = "its own" if method == "own" else method
    cells = "".join(_cell(cell_of(data, example, method)) for data in records.values())
    return f'<tr><th scope="row">{name}</th>{cells}</tr>'


def _cell(cell: Cell) -> str:
    if cell.state == NOT_MEASURED:
        return f'<td class="none">{NOT_MEASURED}</td>'
    return f'<td class="{cell.state}">{cell.state} <span>{cell.held} of {cell.runs}</span></td>'


def _reasons(records: Records, example: Example) -> list[str]:
    """Why it was not measured on some interpreters."""
    reasons: dict[str, list[str]] = {}
    for data in records.values():
        entry = data["examples"].get(example.name, {})
        if reason := entry.get("why_not"):
            reasons.setdefault(reason, []).append(_title(data))
    return [
        f"<p>Not measured on {', '.join(map(escape, titles))}: {escape(reason)}.</p>"
        for reason, titles in reasons.items()
    ]


def _outcomes(records: Records, example: Example) -> list[str]:
    """What it did where it differed."""
    said: dict[str, list[str]] = {}
    for data in records.values():
        for method in methods_of(example):
            cell = cell_of(data, example, method)
            for outcome in cell.outcomes:
                where = f"{_title(data)}, {method}: {outcome['count']} of {cell.runs}"
                said.setdefault(_describe(outcome), []).append(where)
    return [
        f"<details><summary>It differs on {escape('; '.join(where))} runs</summary>"
        f"{text}</details>"
        for text, where in said.items()
    ]


def _describe(outcome: dict[str, Any]) -> str:
    """What a run printed, and how it ended."""
    status = outcome["status"]
    end = "killed at its deadline" if status is None else f"exit status {status}"
    left = f", {outcome['left']} left running" if outcome["left"] else ""
    error = f"; the last line of stderr: {outcome['error']}" if outcome["error"] else ""
    # A blank line would end the HTML for Markdown.
    lines = [escape(line) or " " for line in outcome["output"]] or ["nothing"]
    return f"<pre>{'&#10;'.join(lines)}</pre><p>{escape(end + left + error)}</p>"


def _title(data: dict[str, Any]) -> str:
    return f"{data['implementation']} {data['version']}"


def overview(records: Records) -> str:
    """All examples at a glance."""
    parts = [
        '<div class="measured overview" tabindex="0" role="region" aria-label="All examples">',
        "<table>",
        "<caption>All runs of all start methods; each example's page has them one by one.</caption>",
        _head(records, "../", "Example"),
    ]
    for topic, group in groupby(examples.find(), key=lambda e: e.name.split("/")[0]):
        span = len(records) + 1
        parts.append(
            f'<tbody><tr><th scope="rowgroup" colspan="{span}">{topic}</th></tr>'
        )
        parts += [_overview_row(records, example) for example in group]
        parts.append("</tbody>")
    return "\n".join([*parts, "</table>", "</div>", ""])


def _overview_row(records: Records, example: Example) -> str:
    cells = [overall(data, example) for data in records.values()]
    states = {cell.state for cell in cells}
    kind = DIFFERS if DIFFERS in states else HELD if HELD in states else "none"
    name = example.name.split("/")[1].replace("_", " ")
    return (
        f'<tr class="row-{kind}"><th scope="row">'
        f'<a href="../examples/{example.name}/">{name}</a></th>'
        + "".join(map(_cell, cells))
        + "</tr>"
    )


def overall(data: dict[str, Any], example: Example) -> Cell:
    """An example on one interpreter, under all its start methods."""
    cells = [cell_of(data, example, m) for m in methods_of(example)]
    return Cell(
        runs=sum(cell.runs for cell in cells),
        held=sum(cell.held for cell in cells),
        outcomes=tuple(outcome for cell in cells for outcome in cell.outcomes),
    )


def count_states(records: Records) -> Counter[str]:
    """The number of cells in each state."""
    return Counter(
        cell_of(data, example, method).state
        for data in records.values()
        for example in examples.find()
        for method in methods_of(example)
    )


def numbers(records: Records) -> str:
    """The record in one paragraph."""
    cells = [
        cell_of(data, example, method)
        for data in records.values()
        for example in examples.find()
        for method in methods_of(example)
    ]
    states = count_states(records)
    runs = sum(cell.runs for cell in cells)
    return (
        f"<p>{len(examples.find())} examples on {len(records)} interpreters: "
        f"{runs:,} runs. Of {len(cells)} cells (an example, an interpreter, a start "
        f"method) {states[HELD]} held in each run, {states[DIFFERS]} differ, and "
        f"{states[NOT_MEASURED]} are not measured.</p>\n"
    )


def front(records: Records) -> str:
    """The record in three lines, for the front page."""
    states = count_states(records)
    runs = sum(
        cell_of(data, example, method).runs
        for data in records.values()
        for example in examples.find()
        for method in methods_of(example)
    )
    measured = states[HELD] + states[DIFFERS]
    versions = [
        data["version"].rpartition(".")[0]
        for data in records.values()
        if data["implementation"] == "CPython"
    ]
    others = {data["implementation"] for data in records.values()} - {"CPython"}
    pythons = " and ".join(
        [f"CPython {versions[0]} to {versions[-1]}", *sorted(others)]
    )
    return (
        '<ul class="numbers">\n'
        f"<li><b>{len(examples.find())}</b> examples, and the tests run each</li>\n"
        f"<li><b>{runs:,}</b> recorded runs on {pythons}</li>\n"
        f"<li><b>{states[DIFFERS]}</b> of {measured:,} measured cells differ: "
        '<a href="evidence/">see which</a></li>\n'
        "</ul>\n"
    )
