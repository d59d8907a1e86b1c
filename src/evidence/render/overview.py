"""Render the results: a table for each example, the overview, and the numbers."""

from collections import Counter
from html import escape

from evidence import pages
from evidence.measure.runs import Column
from evidence.pages import Page
from evidence.render import tables
from evidence.render.tables import DIFFERED, EARLIER, PASSED, UNTESTED, Results

#: Results by page, below the name of each topic.
Topics = dict[str, list[tuple[Page, Results]]]


def files() -> dict[str, str]:
    """Return the table of each example, the overview, and its numbers."""
    topics: Topics = {}
    for pages_of_topic in pages.topics().values():
        for page in pages_of_topic:
            if page.example:
                shown = topics.setdefault(page.sections[-1], [])
                shown.append((page, Results(page.example)))
    results = [one for shown in topics.values() for _, one in shown]
    columns = columns_of(results)
    found = {f"tables/{one.example.name}.html": tables.table(one) for one in results}
    return found | {
        "overview.html": overview(topics, columns),
        "numbers.html": numbers(results, columns),
        "front.html": front(results, columns),
    }


def columns_of(results: list[Results]) -> dict[str, Column]:
    """Return every interpreter with the newest of its versions that was run."""
    found: dict[str, Column] = {}
    for one in results:
        for key, column in one.columns.items():
            if key not in found or tables.place(found[key]) < tables.place(column):
                found[key] = column
    return dict(sorted(found.items(), key=lambda item: tables.place(item[1])))


def overview(topics: Topics, columns: dict[str, Column]) -> str:
    """Return a table with a row for each example."""
    parts = [
        '<div class="measured overview" tabindex="0" role="region" '
        'aria-label="All examples">',
        "<table>",
        "<caption>All runs of all start methods; each example's page has them one by "
        "one.</caption>",
        tables.head(list(columns.values()), "Example"),
    ]
    for topic, shown in topics.items():
        span = len(columns) + 1
        group = f'<th scope="rowgroup" colspan="{span}">{escape(topic)}</th>'
        rows = [_row(page, results, columns) for page, results in shown]
        parts += [f"<tbody><tr>{group}</tr>", *rows, "</tbody>"]
    return "\n".join([*parts, "</table>", "</div>", ""])


def _row(page: Page, results: Results, columns: dict[str, Column]) -> str:
    counts = [results.count(key) for key in columns]
    states = {count.state for count in counts}
    order = (DIFFERED, PASSED, EARLIER, UNTESTED)
    state = next((state for state in order if state in states), UNTESTED)
    return (
        f'<tr class="row-{state.replace(" ", "-")}"><th scope="row">'
        f'<a href="../{page.address}">{escape(page.title, quote=False)}</a></th>'
        + "".join(count.html for count in counts)
        + "</tr>"
    )


def numbers(results: list[Results], columns: dict[str, Column]) -> str:
    """Return all results in one paragraph."""
    counts = [
        one.count(key, m) for one in results for key in columns for m in one.methods
    ]
    states = Counter(count.state for count in counts)
    runs = sum(count.runs for count in counts)
    earlier = (
        f"; {states[EARLIER]} are of an earlier version of their example"
        if states[EARLIER]
        else ""
    )
    return (
        f"<p>{len(results)} examples on {len(columns)} interpreters: {runs:,} runs. "
        f"Of {len(counts)} cells (an example, an interpreter, a start method) "
        f"{states[PASSED]} passed in each run, {states[DIFFERED]} differed, and "
        f"{states[UNTESTED]} are not tested{earlier}.</p>\n"
    )


def front(results: list[Results], columns: dict[str, Column]) -> str:
    """Return all results in three lines, for the front page."""
    counts = [count for one in results for count in one.counts()]
    states = Counter(count.state for count in counts)
    tested = states[PASSED] + states[DIFFERED]
    versions = [
        column.version.rpartition(".")[0]
        for column in columns.values()
        if column.implementation == "CPython"
    ]
    others = {column.implementation for column in columns.values()} - {"CPython"}
    cpython = [f"CPython {versions[0]} to {versions[-1]}"] if versions else []
    pythons = " and ".join([*cpython, *sorted(others)])
    return (
        '<ul class="numbers">\n'
        f"<li><b>{len(results)}</b> examples, and the tests run each</li>\n"
        f"<li><b>{sum(count.runs for count in counts):,}</b> recorded runs on "
        f"{escape(pythons)}</li>\n"
        f"<li><b>{states[DIFFERED]}</b> of {tested:,} tested cells differed: "
        '<a href="evidence/">see which</a></li>\n'
        "</ul>\n"
    )
