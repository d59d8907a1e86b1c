"""Link the first use of each word of the glossary on each page."""

import re
from pathlib import Path
from typing import Any

from lxml.html import HtmlElement
from lxml.html.builder import A

from evidence.publish.markup import file

PAGE = "glossary"
#: Everyday words, or words that have another meaning more often.
UNLINKED = {"kill", "session", "stopped", "terminate"}
#: Elements in which a link would be wrong, or in the way.
_SKIPPED = (
    *("a", "button", "fieldset", "h1", "h2", "h3", "h4", "h5", "h6", "kbd", "label"),
    *("nav", "pre", "script", "style", "summary", "svg", "table"),
)
_LINKS = "//article//a/@href"
_TEXTS = f"//article//text()[not(ancestor::{' or ancestor::'.join(_SKIPPED)})]"


def terms(site: Path) -> dict[str, str]:
    """Return the anchor of each term, which is in lower case."""
    page = file.read(site / PAGE / "index.html")
    return {
        span.text.lower(): span.get("id")
        for span in page.iterfind(".//article//dt/span[@id]")
        if span.get("id") not in UNLINKED
    }


def link(page: HtmlElement, anchors: dict[str, str], to: str) -> None:
    """Link to the glossary at `to`; leave alone each term that has a link before."""
    if not anchors:
        return
    longest_first = sorted(map(re.escape, anchors), key=len, reverse=True)
    uses = re.compile(
        rf"(?<![\w-])({'|'.join(longest_first)})(?:s|es|ed|ing)?(?![\w-])", re.I
    )
    linked = set()
    for text in page.xpath(f"{_LINKS} | {_TEXTS}"):  # In the order of the page.
        if text.is_attribute:
            linked.add(str(text))
            continue
        found = []
        for use in uses.finditer(text):
            target = f"{to}#{anchors[use[1].lower()]}"
            # In code, only a term that stands alone is meant.
            if target not in linked and (use[0] == text or not _in_code(text)):
                linked.add(target)
                found.append((use, target))
        if found:
            _insert(text, found)


def _parent(text: Any) -> HtmlElement:
    """Return the element that a text, found by XPath, is in."""
    return text.getparent() if text.is_text else text.getparent().getparent()


def _in_code(text: Any) -> bool:
    return bool(_parent(text).xpath("ancestor-or-self::code"))


def _insert(text: Any, found: list[tuple[re.Match[str], str]]) -> None:
    """Make a link of each use of a term that was found in a text."""
    parent, before = _parent(text), text.getparent()
    index = 0 if text.is_text else parent.index(before) + 1
    rest = str(text)
    for use, target in reversed(found):
        anchor = A(use[0], href=target)
        anchor.tail = rest[use.end() :]
        rest = rest[: use.start()]
        parent.insert(index, anchor)
    setattr(before, "text" if text.is_text else "tail", rest)
