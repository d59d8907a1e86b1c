"""Put each table into its final form, so that nothing on a page moves while it loads.

The theme's script puts each table into a box that scrolls, once it has loaded; then all
that follows moves. Here each table has the box from the start.
"""

from lxml.html import HtmlElement
from lxml.html.builder import CLASS, DIV

#: A row of more cells is a list on a phone.
_NARROW = 3
_BOX = "md-typeset__table"


def finish(page: HtmlElement) -> None:
    """Finish the tables of a page that are not finished yet."""
    for table in page.xpath(f"//table[not(@class or parent::*[@class='{_BOX}'])]"):
        if not any(_stays(parent) for parent in table.iterancestors()):
            _name_heads(table)
        box = DIV(CLASS(_BOX))
        table.addprevious(DIV(CLASS("md-typeset__scrollwrap"), box))
        box.getparent().tail, table.tail = table.tail, None
        box.append(table)


def _stays(parent: HtmlElement) -> bool:
    """Tell whether a table in this element is a table on a phone as well."""
    return parent.tag == "details" or "overview" in parent.classes


def _name_heads(table: HtmlElement) -> None:
    """Write the head of its column into each cell but the first of a wide row."""
    heads = [head.text_content() for head in table.iterfind("./thead//th")]
    rows = table.iterfind("./tbody/tr") if len(heads) > _NARROW else ()
    for row in rows:
        for head, cell in list(zip(heads, row, strict=False))[1:]:
            cell.set("data-head", head)
