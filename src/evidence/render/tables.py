"""Render the results: a table for each example, the overview, and the numbers."""

from evidence import pages
from evidence.measure import runs
from evidence.pages import Page
from evidence.render import results
from evidence.render.results import DIFFERED, EARLIER, PASSED, UNTESTED, Results
from evidence.render.template import fill


def files() -> dict[str, str]:
    """Return the table of each example, the overview, and its numbers."""
    topics: dict[str, list[tuple[Page, Results]]] = {}
    for page in pages.below("examples"):
        if page.example:
            found = Results(page.example, runs.load(page.example))
            topics.setdefault(page.sections[-1], []).append((page, found))
    shown = [one for topic in topics.values() for _, one in topic]
    columns = results.all_columns(shown)
    states = results.states(shown, columns)
    cells = [cell for one in shown for cell in one.cells]
    cpythons = [c.version for c in columns.values() if c.implementation == "CPython"]
    numbers = {
        "examples": len(shown),
        "interpreters": len(columns),
        "runs": sum(tally.runs for cell in cells for tally in cell.tallies()),
        "cells": states.total(),
        "passed": states[PASSED],
        "differed": states[DIFFERED],
        "earlier": states[EARLIER],
        "untested": states[UNTESTED],
        "cpythons": [version.rpartition(".")[0] for version in cpythons],
        "others": sorted({c.implementation for c in columns.values()} - {"CPython"}),
    }
    return {
        **{f"tables/{one.example.name}.html": table(one) for one in shown},
        "overview.html": fill(
            "overview.html",
            topics=topics,
            columns=columns,
            groups=results.groups(columns.values()),
            state_of=state_of,
        ),
        "numbers.html": fill("numbers.html", **numbers),
        "front.html": fill("front.html", **numbers),
    }


def table(found: Results) -> str:
    """Return the section of an example's page that says where it was tested."""
    names = {key: results.title(column) for key, column in found.columns.items()}
    return fill("table.html", results=found, names=names)


def state_of(found: Results) -> str:
    """Return the state of an example for the filter of the overview."""
    seen = {found.count(key).state for key in found.columns}
    order = (DIFFERED, PASSED, EARLIER)
    return next((state for state in order if state in seen), UNTESTED)
