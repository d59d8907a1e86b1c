"""Write the feed of changes (Atom, RFC 4287): an entry for each version."""

import re
from importlib import metadata
from pathlib import Path
from xml.sax.saxutils import escape

from lxml import html
from markdown import markdown
from markdown.extensions.toc import slugify

from evidence.measure import runs
from evidence.publish.package import NAME
from evidence.template import fill

CHANGELOG = "CHANGELOG.md"
_VERSION = re.compile(r"(?m)^## \[([^\]]+)\](?: - (\S+))?$")


def write(site: Path, url: str, text: str, changed: dict[str, str]) -> None:
    """Write the feed of a changelog; `changed` has the day of each file's change.

    What is not released yet has the day of the changelog's last change, or if git does
    not know it, that of the last recorded run.
    """
    page = f"{url}contributing/changelog/"
    unreleased = changed.get(CHANGELOG) or runs.last_day()
    _, *parts = _VERSION.split(text)
    versions = zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    entries = []
    for version, day, body in versions:
        heading = f"[{version}] - {day}" if day else version
        where = f"{page}#{slugify(heading, '-')}"
        entry = {"version": version, "url": where, "day": day or unreleased}
        entries.append(entry | {"content": _html(body, page)})
    author = metadata.metadata(NAME)["Author"]
    feed = fill(
        "feed.xml", name=NAME, url=url, page=page, author=author, entries=entries
    )
    (site / "feed.xml").write_text(feed.rstrip(), "utf-8")


def _html(text: str, page: str) -> str:
    """Return the changes of a version as HTML with absolute links, escaped."""
    changes = html.fragment_fromstring(markdown(text), "div")
    changes.make_links_absolute(page)
    return escape(html.tostring(changes, encoding="unicode"))
