"""What several tests need to read the pages."""

from functools import cache
from itertools import takewhile

from bs4 import BeautifulSoup, Tag
from markdown import markdown

from evidence import pages
from evidence.pages import Page


@cache
def html(text: str) -> BeautifulSoup:
    """Return Markdown as HTML, in which no snippet is embedded."""
    extensions = ["attr_list", "def_list", "fenced_code", "md_in_html", "tables"]
    return BeautifulSoup(markdown(text, extensions=extensions), "lxml")


def read(path: str) -> BeautifulSoup:
    """Return a page of docs/ as HTML."""
    return html(Page(path).body)


def rows(tag: Tag) -> list[list[Tag]]:
    """Return the cells of the rows of the tables, without their heads."""
    found = [row.find_all(["th", "td"]) for row in tag.select("tbody tr")]
    return [cells for cells in found if cells]


def error_messages() -> list[tuple[Page, str, list[Tag]]]:
    """Return the pages of errors, with each message and what is below it."""
    found = []
    for page in pages.below("errors"):
        for heading in html(page.body).find_all("h2"):
            after = heading.find_next_siblings()
            below = [*takewhile(lambda tag: tag.name != "h2", after)]
            found.append((page, heading.text, below))
    return found


def linked_examples(tag: Tag) -> list[str]:
    """Return the names of the examples that a part of a page links to."""
    found = []
    for link in tag.find_all("a", href=True):
        path = str(link["href"]).partition("#")[0].rstrip("/").removesuffix(".md")
        match path.split("/")[-3:]:
            case ["examples", topic, name] if name != "index":
                found.append(f"{topic}/{name}")
    return found
