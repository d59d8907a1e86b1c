"""Put each table into its final form, so that nothing on a page moves while it loads.

The theme's script puts each table into a box that scrolls, once it has loaded; then all
that follows moves. Here each table has the box from the start.
"""

import re
from pathlib import Path

from lxml import html

#: A row of more cells is a list on a phone.
_NARROW = 3
_BOX = '<div class="md-typeset__scrollwrap"><div class="md-typeset__table">'
_TABLE = re.compile(r"<table(?![^>]*\sclass=).*?</table>", re.S)


def finish(site: Path) -> None:
    """Finish the tables of each page that is not finished yet."""
    for path in [*site.rglob("index.html"), site / "404.html"]:
        text = path.read_text("utf-8")
        if _BOX not in text and _TABLE.search(text):
            path.write_text(_finished(text), "utf-8")


def _finished(text: str) -> str:
    # In the order of the text, which is the order of the matches.
    tables = [
        table
        for table in html.document_fromstring(text).iter("table")
        if "class" not in table.attrib
    ]
    found = iter(tables)

    def box(match: re.Match[str]) -> str:
        table = next(found)
        if any(_stays(parent) for parent in table.iterancestors()):
            return f"{_BOX}{match[0]}</div></div>"
        _name_heads(table)
        table.tail = None
        return f"{_BOX}{html.tostring(table, encoding='unicode')}</div></div>"

    return _TABLE.sub(box, text)


def _stays(parent: html.HtmlElement) -> bool:
    """Tell whether a table in this element is a table on a phone as well."""
    return parent.tag == "details" or "overview" in parent.get("class", "").split()


def _name_heads(table: html.HtmlElement) -> None:
    """Write the head of its column into each cell but the first of a wide row."""
    heads = [head.text_content() for head in table.iterfind("./thead//th")]
    rows = table.iterfind("./tbody/tr") if len(heads) > _NARROW else ()
    for row in rows:
        for head, cell in list(zip(heads, row, strict=False))[1:]:
            cell.set("data-head", head)
