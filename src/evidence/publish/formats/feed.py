"""Write the feed of changes (Atom, RFC 4287): an entry for each version."""

import re
from importlib import metadata
from pathlib import Path
from xml.etree import ElementTree

from lxml import html
from markdown import markdown
from markdown.extensions.toc import slugify

from evidence.measure import runs
from evidence.publish.package import NAME

CHANGELOG = "CHANGELOG.md"
_NAMESPACE = "http://www.w3.org/2005/Atom"
_VERSION = re.compile(r"(?m)^## \[([^\]]+)\](?: - (\S+))?$")


def write(site: Path, url: str, text: str, changed: dict[str, str]) -> None:
    """Write the feed of a changelog; `changed` has the day of each file's change.

    What is not released yet has the day of the changelog's last change, or if git does
    not know it, that of the last recorded run.
    """
    page = f"{url}contributing/changelog/"
    unreleased = changed.get(CHANGELOG) or runs.last_day()
    root = ElementTree.Element("feed", xmlns=_NAMESPACE)
    _add(root, "title", f"Changes of {NAME}")
    _add(root, "id", page)
    ElementTree.SubElement(root, "link", rel="self", href=f"{url}feed.xml")
    ElementTree.SubElement(root, "link", href=page)
    author = ElementTree.SubElement(root, "author")
    _add(author, "name", metadata.metadata(NAME)["Author"])
    _, *parts = _VERSION.split(text)
    versions = list(zip(parts[::3], parts[1::3], parts[2::3], strict=True))
    days = [day or unreleased for _, day, _ in versions]
    _add(root, "updated", f"{max(days)}T00:00:00Z")
    for (version, released, body), day in zip(versions, days, strict=True):
        heading = f"[{version}] - {released}" if released else f"[{version}]"
        where = f"{page}#{slugify(heading, '-')}"
        entry = ElementTree.SubElement(root, "entry")
        _add(entry, "title", f"{NAME}: {version}")
        _add(entry, "id", where)
        ElementTree.SubElement(entry, "link", href=where)
        _add(entry, "updated", f"{day}T00:00:00Z")
        _add(entry, "content", _html(body, page)).set("type", "html")
    ElementTree.indent(root)
    ElementTree.ElementTree(root).write(
        site / "feed.xml", "utf-8", xml_declaration=True
    )


def _add(parent: ElementTree.Element, name: str, text: str) -> ElementTree.Element:
    child = ElementTree.SubElement(parent, name)
    child.text = text
    return child


def _html(text: str, page: str) -> str:
    """Return the changes of a version as HTML with absolute links."""
    changes = html.fragment_fromstring(markdown(text), "div")
    changes.make_links_absolute(page)
    return str(html.tostring(changes, encoding="unicode"))
