"""Render the results: a table for each example, the overview, and the numbers."""

from collections import Counter
from collections.abc import Collection
from typing import Any, TypeAlias

from evidence.pages import Page
from evidence.render import results
from evidence.render.results import DIFFERED, EARLIER, PASSED, UNTESTED, Results
from evidence.template import fill

Topics: TypeAlias = dict[str, list[tuple[Page, Results]]]


def files() -> dict[str, str]:
    """Return the table of each example, the overview, and its numbers."""
    topics: Topics = {}
    for page, found in results.of_pages():
        topics.setdefault(page.sections[-1], []).append((page, found))
    shown = [one for topic in topics.values() for _, one in topic]
    columns = results.all_columns(shown)
    stock = {key: column for key, column in columns.items() if not column.layer}
    layered = {key: column for key, column in columns.items() if column.layer}
    tables: list[dict[str, Any]] = [
        {"topics": _tested_on(part, topics), "columns": part, "groups": groups}
        for part in (stock, layered)
        if (groups := results.groups(part.values()))
    ]
    states: Counter[str] = Counter()
    for part in tables:
        tested = [one for rows in part["topics"].values() for _, one in rows]
        states += results.states(tested, part["columns"])
    cells = [cell for one in shown for cell in one.cells]
    cpythons = [c.version for c in stock.values() if c.implementation == "CPython"]
    numbers = {
        "examples": len(shown),
        "run_by_tests": sum("linux" in one.example.platforms for one in shown),
        "interpreters": len(columns),
        "runs": sum(tally.runs for cell in cells for tally in cell.tallies()),
        "cells": states.total(),
        "passed": states[PASSED],
        "differed": states[DIFFERED],
        "earlier": states[EARLIER],
        "untested": states[UNTESTED],
        "cpythons": [version.rpartition(".")[0] for version in cpythons],
        "others": sorted({c.implementation for c in stock.values()} - {"CPython"}),
        "layers": sorted({c.layer for c in layered.values()}),
    }
    return {
        **{f"tables/{one.example.name}.html": table(one) for one in shown},
        "overview.html": fill(
            "overview.html",
            tables=tables,
            state_of=state_of,
        ),
        "numbers.html": fill("numbers.html", **numbers),
        "front.html": fill("front.html", **numbers),
    }


def _tested_on(columns: Collection[str], topics: Topics) -> Topics:
    """Return the examples that have runs in one of these columns, or in none at all.

    An example for Windows has no row where it cannot run.
    """

    def belongs(one: Results) -> bool:
        tested = {key for key, column in one.columns.items() if column.cells}
        return bool(tested.intersection(columns)) or not tested

    kept = {
        topic: [(page, one) for page, one in rows if belongs(one)]
        for topic, rows in topics.items()
    }
    return {topic: rows for topic, rows in kept.items() if rows}


def table(found: Results) -> str:
    """Return the section of an example's page that says where it was tested."""
    names = {key: results.title(column) for key, column in found.columns.items()}
    return fill("table.html", results=found, names=names)


def state_of(found: Results) -> str:
    """Return the state of an example for the filter of the overview."""
    seen = {found.count(key).state for key in found.columns}
    order = (DIFFERED, PASSED, EARLIER)
    return next((state for state in order if state in seen), UNTESTED)
