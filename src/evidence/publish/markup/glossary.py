"""Link the first use of each word of the glossary on each page."""

import os
import re
from html.parser import HTMLParser
from itertools import accumulate
from pathlib import Path

from lxml import html

PAGE = "glossary"
#: Everyday words, or words that have another meaning more often.
UNLINKED = {"kill", "session", "stopped", "terminate"}
#: Elements in which a link would be wrong, or in the way.
_SKIPPED = {
    *("a", "button", "fieldset", "h1", "h2", "h3", "h4", "h5", "h6", "kbd", "label"),
    *("nav", "pre", "script", "style", "summary", "svg", "table"),
}


def link(site: Path) -> None:
    """Link in each page of a built site; leave alone what is linked already."""
    terms = _terms(site)
    for path in site.rglob("index.html"):  # 404.html is shown at any address.
        if path.parent != site / PAGE:
            to = os.path.relpath(site / PAGE, path.parent).replace(os.sep, "/") + "/"
            before, tag, rest = path.read_text("utf-8").partition("<article")
            article, close, after = rest.partition("</article>")
            if found := _Article(tag + article, terms, to).found:
                linked = _with_links(tag + article, found)
                path.write_text(before + linked + close + after, "utf-8")


def _terms(site: Path) -> dict[str, re.Pattern[str]]:
    """Return the anchor of each word, and what finds its forms."""
    page = html.document_fromstring((site / PAGE / "index.html").read_text("utf-8"))
    return {
        span.get("id"): re.compile(
            rf"(?<![\w-]){re.escape(span.text)}(?:s|es|ed|ing)?(?![\w-])", re.IGNORECASE
        )
        for span in page.iterfind(".//article//dt/span[@id]")
        if span.get("id") not in UNLINKED
    }


def _with_links(text: str, found: list[tuple[int, int, str]]) -> str:
    for start, end, to in sorted(found, reverse=True):
        anchor = f'<a href="{to}">{text[start:end]}</a>'
        text = text[:start] + anchor + text[end:]
    return text


class _Article(HTMLParser):
    """Find where an article uses each word first, if it does not link it before."""

    def __init__(self, text: str, terms: dict[str, re.Pattern[str]], to: str) -> None:
        super().__init__(convert_charrefs=False)
        self._lines = [0, *accumulate(len(line) + 1 for line in text.split("\n"))]
        self._wanted = {f"{to}#{anchor}": found for anchor, found in terms.items()}
        #: Start, end and target of each link to make.
        self.found: list[tuple[int, int, str]] = []
        #: How many elements are open, of those to skip and of those with code.
        self._open = {"skipped": 0, "code": 0}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what is open, and what is linked already."""
        self._count(tag, 1)
        self._wanted.pop(dict(attrs).get("href") or "", None)

    def handle_endtag(self, tag: str) -> None:
        """Note what is closed."""
        self._count(tag, -1)

    def handle_data(self, data: str) -> None:
        """Note the words that no text before has; code must be the word alone."""
        if self._open["skipped"]:
            return
        line, column = self.getpos()
        start = self._lines[line - 1] + column
        for to, pattern in list(self._wanted.items()):
            find = pattern.fullmatch if self._open["code"] else pattern.search
            if found := find(data):
                self.found.append((start + found.start(), start + found.end(), to))
                del self._wanted[to]

    def _count(self, tag: str, step: int) -> None:
        kind = "skipped" if tag in _SKIPPED else tag
        if kind in self._open:
            self._open[kind] += step
