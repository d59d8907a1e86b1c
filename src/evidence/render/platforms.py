"""Render the page of the platforms: what ran on each, and which examples differed."""

from collections.abc import Iterator

from evidence import elsewhere
from evidence.elsewhere import Tests
from evidence.measure.runs import Column
from evidence.pages import Page
from evidence.render import results
from evidence.render.results import DIFFERED, PASSED, Results
from evidence.template import table

_Shown = list[tuple[Page, Results]]


def files() -> dict[str, str]:
    """Return the table of the platforms, and the list of what differed."""
    shown = results.of_pages()
    columns: dict[str, Column] = {}
    for _, one in shown:
        for key, column in one.runs.interpreters.items():
            if column.layer and column.cells:
                columns.setdefault(key, column)
    columns = results.in_order(columns)
    recorded = elsewhere.load().tests
    heads = ["Platform", "Python", "Kernel", "Examples", "Runs", "Tests of the library"]
    rows = [_row(key, columns[key], shown, recorded.get(key)) for key in columns]
    here_heads = ["Python", "Kernel", "Tests of the library", "Last run"]
    here = [
        [found.python, found.kernel, _counts(found), found.date]
        for found in recorded.values()
        if not found.platform
    ]
    differed = [line for key in columns for line in _differed(key, columns[key], shown)]
    failed = [
        f"- {found.platform or 'Linux'}, {found.python}: "
        + ", ".join(f"`{name}`" for name in found.names)
        for found in recorded.values()
        if found.names
    ]
    return {
        "platforms/table.md": table([*heads, "Last run"], rows) + "\n",
        "platforms/versions.md": table(here_heads, here) + "\n",
        "platforms/differed.md": "\n".join(differed or ["- None."]) + "\n",
        "platforms/failed.md": "\n".join(failed or ["- None."]) + "\n",
    }


def _row(key: str, column: Column, shown: _Shown, found: Tests | None) -> list[str]:
    counts = [count for _, one in shown if (count := one.count(key)).runs]
    ran = [one.runs.interpreters[key] for _, one in shown if one.count(key).runs]
    cells = [cell for column in ran for cell in column.cells.values()]
    dates = [cell.date for cell in cells] + ([found.date] if found else [])
    return [
        f"Windows on {column.layer}" if column.platform == "win32" else column.layer,
        f"{column.implementation} {column.version}",
        " and ".join(sorted({cell.kernel for cell in cells})),
        f"{sum(c.state == PASSED for c in counts)} of {len(counts)} passed",
        f"{sum(c.passed for c in counts):,} of {sum(c.runs for c in counts):,}",
        _counts(found) if found else "not run",
        max(dates),
    ]


def _counts(found: Tests) -> str:
    said = f"{found.passed} of {found.passed + found.failed} passed"
    return said + (f", {found.skipped} skipped" if found.skipped else "")


def _differed(key: str, column: Column, shown: _Shown) -> Iterator[str]:
    """Yield a line for each example that differed on a platform."""
    for page, one in shown:
        count = one.count(key)
        if count.state == DIFFERED:
            link = f"[{page.title}](../{page.path})"
            errors = {outcome.error for outcome in count.differed} - {""}
            why = "".join(f"; `{error}`" for error in sorted(errors)[:1])
            yield f"- {column.layer}, {column.version}: {link}: {count.passed} of {count.runs} runs{why}"
