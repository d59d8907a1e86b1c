"""Renders the timelines: the rows of each, and where its events come from."""

from evidence import examples
from evidence.examples import Example
from evidence.measure import timelines
from evidence.measure.timelines import Timeline
from evidence.render.timelines.events import rows, same_methods
from evidence.render.timelines.picture import Picture
from evidence.template import fill


def files() -> dict[str, str]:
    """Return the timeline of each example, and the signs for the method page."""
    found = {f"timelines/{e.name}.html": of(e) for e in examples.find()}
    return found | {"signs.html": fill("signs.html")}


def of(example: Example) -> str:
    """Return the timelines of an example, one for each start method that differs."""
    timeline = timelines.load(example)
    if timeline is None:
        return "<p>This example was not traced.</p>\n"
    is_earlier = timeline.hash != example.hash
    return render(timeline, example.name, is_earlier=is_earlier)


def render(timeline: Timeline, name: str, *, is_earlier: bool = False) -> str:
    """Return the HTML of a timeline, and where its events come from."""
    pictures = [
        (_title(methods), Picture(rows(timeline.methods[methods[0]])))
        for methods in same_methods(timeline.methods)
    ]
    return fill(
        "timeline.html",
        timeline=timeline,
        name=name,
        is_earlier=is_earlier,
        pictures=pictures,
    )


def _title(methods: list[str]) -> str:
    title = "Timeline"
    if methods != ["own"]:
        title += f" under {methods[0]}"
    if methods[1:]:
        title += f"; the same happens under {' and '.join(methods[1:])}"
    return title
