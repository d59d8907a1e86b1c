"""Renders the timelines: the rows of each, and where its events come from."""

from html import escape

from evidence import examples, pages
from evidence.examples import Example
from evidence.measure import timelines
from evidence.measure.timelines import Timeline
from evidence.render.timelines.events import rows, same_methods
from evidence.render.timelines.picture import draw, signs


def files() -> dict[str, str]:
    """Return the timeline of each example, and the signs for the method page."""
    found = {f"timelines/{e.name}.html": of(e) for e in examples.find()}
    return found | {"signs.html": signs()}


def of(example: Example) -> str:
    """Return the timelines of an example, one for each start method that differs."""
    timeline = timelines.load(example)
    if timeline is None:
        return "<p>This example was not traced.</p>\n"
    version = "" if timeline.hash == example.hash else " of an earlier version"
    return render(timeline, example.name, version)


def render(timeline: Timeline, name: str, version: str = "") -> str:
    """Return the HTML of a timeline, and where its events come from."""
    groups = same_methods(timeline.methods)
    parts = [
        _details(timeline, methods, is_open=methods is groups[0]) for methods in groups
    ]
    root = pages.root()
    source = (
        f'<p class="measured-method">One run{version} on CPython '
        f"{escape(timeline.python)}, {escape(timeline.kernel)}, {timeline.date}. "
        "Times are in milliseconds. Time runs down the page, not to scale. "
        f'<a href="{root}data/timelines/{name}.json">Events as JSON</a>, '
        f'<a href="{root}evidence/method/#timelines">how they were recorded</a>, '
        f'<a href="{root}evidence/method/#signs">what the signs mean</a>.</p>\n'
    )
    return "\n".join([*parts, source])


def _details(timeline: Timeline, methods: list[str], *, is_open: bool) -> str:
    shown = rows(timeline.methods[methods[0]])
    title = "Timeline"
    if methods != ["own"]:
        title += f" under {methods[0]}"
    if methods[1:]:
        title += f"; the same happens under {' and '.join(methods[1:])}"
    return (
        f'<details class="timeline"{" open" if is_open else ""}>'
        f"<summary>{title}</summary>\n{draw(shown)}\n</details>"
    )
