"""Convert finished pages to Markdown, whichever builder has written them."""

from functools import lru_cache
from typing import Any

from bs4 import BeautifulSoup, Tag
from lxml import html
from lxml.html import HtmlElement
from lxml.html.builder import P
from markdownify import MarkdownConverter

#: Elements that are of use in a browser only.
_FOR_BROWSERS = {
    *("button", "fieldset", "form", "nav", "script", "style", "svg"),
    *("headerlink", "md-content__button"),
}
_TITLES = {"summary", "admonition-title", "doc-section-title"}


@lru_cache(maxsize=1000)  # While the site is served, most pages stay as they are.
def from_html(page: str, url: str, urls: frozenset[str]) -> str:
    """Return the article of a page as Markdown.

    Args:
        page: The HTML of the whole page.
        url: Where the page is, so that its links become absolute.
        urls: The pages that have Markdown beside them, to which links then lead.
    """
    article = html.document_fromstring(page).find(".//article")
    for element in _find(article, _FOR_BROWSERS):
        element.drop_tree()
    article.make_links_absolute(url)
    # An anchor is only on the page itself.
    article.rewrite_links(lambda to: f"{to}index.md" if to in urls else to)
    for anchor in article.iter("a"):
        anchor.attrib.pop("title", None)
    for box in _find(article, {"highlight"}):
        _describe_code(box)
    for title in _find(article, _TITLES):
        _describe_box(title)
    for item in _find(article, {"doc-section-item"}):
        _join(item)
    for box in _find(article, {"details"}):
        box.drop_tag()
    for name in _find(article, {"doc-object-name"}):
        name.tag = "code"
    for table in article.iter("table"):
        _simplify(table)
    soup = BeautifulSoup(html.tostring(article, encoding="unicode"), "lxml")
    return str(_Converter().convert_soup(soup)).strip() + "\n"


def _find(article: HtmlElement, names: set[str]) -> list[HtmlElement]:
    """Return the elements with one of these tags or classes."""
    return [e for e in article.iter("*") if e.tag in names or names & set(e.classes)]


def _describe_code(box: HtmlElement) -> None:
    """Put the language of a block, and the title above it, where `_info` finds them."""
    names = (name for name in box.classes if name.startswith("language-"))
    info = next(names, "").removeprefix("language-")
    for title in _find(box, {"filename"}):
        info += f' title="{title.text_content()}"'
        title.drop_tree()
    for code in box.iter("pre"):
        text = code.text_content()
        code[:] = []
        code.text = text
        code.set("data-info", info)


def _info(code: Tag) -> str:
    return str(code.get("data-info", "text"))


def _describe_box(title: HtmlElement) -> None:
    """Let the title of a box be a bold line."""
    title.tag = "strong"
    if title.getparent().tag != "p":
        paragraph = P()
        title.addprevious(paragraph)
        paragraph.append(title)


def _join(item: HtmlElement) -> None:
    """Let the name, the type and the text of an entry follow in one line."""
    for part in item:
        part.tail = " ".join(line.strip() for line in (part.tail or "").split("\n"))
    for text in _find(item, {"doc-md-description"}):
        for paragraph in text.findall("p"):
            paragraph.drop_tag()
        text.drop_tag()


def _simplify(table: HtmlElement) -> None:
    """Make one row of two in the head: a table of Markdown has one row of names."""
    for head in table.findall("thead"):
        first, *others = head
        below = [cell for row in others for cell in row]
        for cell in list(first) if others else []:
            if "rowspan" not in cell.attrib:
                for _ in range(int(cell.get("colspan", "1"))):
                    inner = below.pop(0)
                    inner.text = f"{cell.text_content()} {inner.text or ''}"
                    cell.addprevious(inner)
                cell.drop_tree()
        for row in others:
            row.drop_tree()
    # Else a row of names among the others would begin a new table.
    for cell in table.iterfind("tbody/tr/th"):
        cell.tag = "td"


class _Converter(MarkdownConverter):
    """Write Markdown as the sources of the pages are written."""

    class Options:
        """Choose among the forms that Markdown has."""

        autolinks = False
        bullets = "-"
        code_language_callback = staticmethod(_info)
        escape_asterisks = False
        escape_underscores = False
        heading_style = "atx"

    def convert_td(self, element: Tag, text: str, parent_tags: Any) -> str:
        """Keep a cell in its line, and escape what would end it."""
        text = " ".join(text.split()).replace("|", "\\|")
        cell = super().convert_td(element, text, parent_tags)  # type: ignore[misc]
        return str(cell)

    convert_th = convert_td
