"""Read and write the HTML file of a page."""

from pathlib import Path

from lxml import html
from lxml.html import HtmlElement


def read(path: Path) -> HtmlElement:
    """Return the parsed page of a file."""
    return html.document_fromstring(path.read_text("utf-8"))


def write(path: Path, page: HtmlElement) -> None:
    """Write a page to a file."""
    text = html.tostring(page, encoding="unicode", doctype="<!doctype html>")
    path.write_text(text, "utf-8")
