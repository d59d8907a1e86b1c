"""Makes one light style sheet of those that a page names.

A third of Material's selectors are for parts that no page here has: they are seven
kilobytes on the wire, a tenth of a page. A few others make the change of a class, or
of the palette, a change of the whole page, and a browser then styles it several times.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

LINK = re.compile(r'[ \t]*<link rel="stylesheet" href="([^"]+)">\n?')
COMMENT = re.compile(r"/\*.*?\*/", re.S)
#: An innermost rule: its selectors, and what it declares.
RULE = re.compile(r"([^{}@;]+)\{([^{}]*)\}")
EMPTY = re.compile(r"@[^{};]+\{\s*\}")
CLASS = re.compile(r"\.([A-Za-z_][\w-]*)")
#: What is in parentheses is a choice, or excluded: no element needs all of it.
CHOICE = re.compile(r"\([^()]*\)")
#: While the palette changes: all elements, twice on each page that is read.
SWITCHING = "[data-md-color-switching]"
#: Any class, and so any change of one, has to do with all that is in a table.
ANY_CLASS, ONE_CLASS = "table:not([class])", "table:not(.highlighttable)"


class Styles:
    """The style sheets of a built site."""

    def __init__(self, site: Path, used: "Used") -> None:
        """Take the sheets from a site."""
        self.site = site.resolve()
        self.used = used
        self.joined: dict[tuple[str, ...], str] = {}

    def join(self, text: str, page: Path) -> str:
        """Make one of the style sheets of a page; its name changes with its content."""
        links = LINK.findall(text)
        if not links:
            return text
        # The page that stands for one that is missing is shown at any address.
        absolute = links[0].startswith("/")
        root = links[0].partition("assets/")[0] if absolute else ""
        base = self.site if absolute else page.parent
        names = tuple(
            (base / link.removeprefix(root)).resolve().relative_to(self.site).as_posix()
            for link in links
        )
        if names not in self.joined:
            self.joined[names] = self._write(names)
        prefix = links[0].partition("assets/")[0]
        link = f'<link rel="stylesheet" href="{prefix}{self.joined[names]}">\n'
        before, *others = re.split(LINK.pattern.replace("(", "(?:"), text)
        return before + link + "".join(others)

    def _write(self, names: tuple[str, ...]) -> str:
        sheets = ((self.site / name).read_text("utf-8").strip() for name in names)
        styles = lighten("\n".join(sheets), self.used)
        name = f"assets/{digest(styles)}.css"
        (self.site / name).write_text(styles + "\n", "utf-8")
        return name

    def remove_joined(self) -> None:
        """Remove the sheets that are in another now."""
        for name in {name for names in self.joined for name in names}:
            (self.site / name).unlink()


class Used:
    """The classes that an element may have, of those that a page or a script names."""

    def __init__(self, pages: Iterable[str], scripts: Iterable[str]) -> None:
        """Find them; a script may put the end to a name."""
        in_pages = (re.findall(r'class="([^"]*)"', page) for page in pages)
        self.names = {
            name for found in in_pages for names in found for name in names.split()
        }
        self.names.update(
            word for text in scripts for word in re.findall(r"[\w-]+", text)
        )
        self.beginnings = tuple(name for name in self.names if name.endswith("--"))

    def __contains__(self, name: str) -> bool:
        """Say whether there may be an element of a class."""
        return name in self.names or name.startswith(self.beginnings)


def lighten(styles: str, used: Used) -> str:
    """Leave out what styles nothing, and what makes styling slow."""
    styles = COMMENT.sub("", styles).replace(ANY_CLASS, ONE_CLASS)

    def keep(rule: re.Match[str]) -> str:
        kept = [
            selector
            for selector in split(rule[1])
            if SWITCHING not in selector and may_match(selector, used)
        ]
        return f"{','.join(kept)}{{{rule[2]}}}" if kept else ""

    return EMPTY.sub("", RULE.sub(keep, styles))


def split(selectors: str) -> Iterator[str]:
    """Split at the commas that are in no parentheses."""
    start = depth = 0
    for place, character in enumerate(selectors):
        depth += (character == "(") - (character == ")")
        if character == "," and not depth:
            yield selectors[start:place]
            start = place + 1
    yield selectors[start:]


def may_match(selector: str, used: Used) -> bool:
    """Say whether all classes that an element would need are in use."""
    count = 1
    while count:
        selector, count = CHOICE.subn("", selector)
    return all(name in used for name in CLASS.findall(selector))


def digest(text: str) -> str:
    """What stands in a name for the content, so that a browser may keep the file."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]
