"""Finish the foot of each page: the pages beside it, its dates, and the version.

Both builders lead from the last page of a topic to the first one of the next, and
neither knows when a page was changed, or an example measured.
"""

from importlib import metadata

from lxml.html import HtmlElement
from lxml.html.builder import LI

from evidence.measure import runs
from evidence.pages import Page
from evidence.publish.package import NAME


def write(page: HtmlElement, facts: list[str]) -> None:
    """Write facts into the list that overrides/partials/source-file.html makes."""
    page.find(".//ul[@class='page-facts']")[:] = [LI(fact) for fact in facts]


def facts(page: Page, day: str | None) -> list[str]:
    """Return what a reader may want to know of a page that was changed on a day."""
    found = [f"{NAME} {metadata.version(NAME)}"]
    if day:
        found.append(f"Last change: {day}")
    if day := _last_run(page):
        found.append(f"Last run: {day}")
    return found


def stay_in_topic(
    page: HtmlElement, here: Page, before: Page | None, after: Page | None
) -> None:
    """Remove the links to the pages beside a page that are of another topic.

    The theme's keys N and P follow the link in the head.
    """
    for rel, other in ("prev", before), ("next", after):
        if other is None or other.sections != here.sections:
            for link in page.xpath(f"/html/head/link[@rel='{rel}']"):
                link.drop_tree()
            for link in page.find_class(f"md-footer__link--{rel}"):
                link.drop_tree()
    if not page.find_class("md-footer__link"):
        for nav in page.find_class("md-footer__inner"):
            nav.drop_tree()


def _last_run(page: Page) -> str | None:
    """Return the day of the last recorded run of the example as it is now."""
    if not (example := page.example):
        return None
    columns = runs.load(example).interpreters.values()
    cells = (c for one in columns if one.is_of(example) for c in one.cells.values())
    return max((cell.date for cell in cells), default=None)
