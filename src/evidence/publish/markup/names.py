"""Link what an example imports from the library to its page in the reference."""

from pathlib import Path

from lxml.html import HtmlElement
from lxml.html.builder import A

PACKAGE = "process_terminate"
FOLDER = "reference"
#: The highlighter writes a module as class `nn`, and a name as class `n`.
_MODULES = "//article//pre//span[@class='nn'][.='{}']"


def pages(site: Path) -> set[str]:
    """Return the names that have a page."""
    return {path.parent.name for path in (site / FOLDER).glob("*/index.html")}


def link(page: HtmlElement, names: set[str], to: str) -> None:
    """Link each name in a line `from process_terminate import ...` to its page."""
    targets = {PACKAGE: "{}/", f"{PACKAGE}.aio": f"aio/#{PACKAGE}.aio.{{}}"}
    for module, target in targets.items():
        for span in page.xpath(_MODULES.format(module)):
            for name in span.itersiblings("span"):
                if name.get("class") == "n" and name.text in names:
                    name.append(A(name.text, href=to + target.format(name.text)))
                    name.text = None
                if "\n" in (name.tail or ""):
                    break
