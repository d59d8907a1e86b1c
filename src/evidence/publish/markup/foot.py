"""Finish the foot of each page: the pages beside it, its dates, and the version.

Both builders lead from the last page of a topic to the first one of the next, and
neither knows when a page was changed, or an example measured.
"""

import re
from importlib import metadata
from itertools import pairwise
from pathlib import Path

from evidence import history, pages
from evidence.measure import runs
from evidence.pages import Page
from evidence.publish.package import NAME

#: overrides/partials/source-file.html writes it.
_PLACE = re.compile(r'(<ul class="page-facts">).*?(</ul>)', re.S)


def write(site: Path, changed: dict[str, str]) -> None:
    """Finish the foot of each page; `changed` has the day of each file's change."""
    found = pages.in_order()
    for before, page in pairwise([None, *found]):
        _unlink(site, page, "prev", before)
    for page, after in pairwise([*found, None]):
        _unlink(site, page, "next", after)
    for page in found:
        items = "".join(f"<li>{fact}</li>" for fact in facts(page, changed))
        path = site / page.address / "index.html"
        text = path.read_text("utf-8")
        path.write_text(_PLACE.sub(rf"\g<1>{items}\g<2>", text), "utf-8")


def facts(page: Page, changed: dict[str, str]) -> list[str]:
    """Return what a reader may want to know of a page."""
    found = [f"{NAME} {metadata.version(NAME)}"]
    if day := history.last_change(page, changed):
        found.append(f"Last change: {day}")
    if day := last_run(page):
        found.append(f"Last run: {day}")
    return found


def last_run(page: Page) -> str | None:
    """Return the day of the last recorded run of the example as it is now."""
    if not (example := page.example):
        return None
    columns = runs.load(example).interpreters.values()
    cells = (c for one in columns if one.is_of(example) for c in one.cells.values())
    return max((cell.date for cell in cells), default=None)


def _unlink(site: Path, page: Page | None, rel: str, other: Page | None) -> None:
    """Remove the links to the page beside a page, if it is of another topic.

    The theme's keys N and P follow the link in the head.
    """
    if page is None or (other and other.sections == page.sections):
        return
    path = site / page.address / "index.html"
    text = path.read_text("utf-8")
    text = re.sub(rf'<link rel="{rel}"[^>]*>\s*', "", text)
    link = rf'<a href="[^"]*" class="md-footer__link md-footer__link--{rel}".*?</a>\s*'
    text = re.sub(link, "", text, flags=re.S)
    if "md-footer__link" not in text:
        text = re.sub(r'<nav class="md-footer__inner.*?</nav>\s*', "", text, flags=re.S)
    path.write_text(text, "utf-8")
