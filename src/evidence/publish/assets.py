"""Finish the style sheets and scripts: fixed, smaller, and under all their old names.

The theme puts a hash into the name of each of its files. A page that a browser has kept
since before an update of the theme still asks for the old names.
"""

import re
import shutil
from pathlib import Path

from evidence.paths import DOCS

#: Each name that a file of the theme has had on the published site, a line each.
NAMES = DOCS / "theme_files.txt"
_HASHED = re.compile(r"assets/[\w/]+\.[0-9a-f]{8}\.min\.(?:css|js)")
#: In our own files: comments of CSS, and lines of JavaScript that are a comment.
_COMMENT = {
    ".css": re.compile(r"/\*.*?\*/\s*", re.S),
    ".js": re.compile(r"(?m)^\s*//.*\n"),
}

#: For lunr, edges 1 and 25 of a node looked like edges 12 and 5, so that nodes of
#: other words were taken for the same, and a search for "3" failed.
_LUNR, _LUNR_FIXED = "e=e+s+o.id}return e", 'e=e+s+o.id+","}return e'


def fix_lunr(site: Path) -> None:
    """Let the theme's search take each number; Zensical has another search."""
    for path in (site / "assets/javascripts/workers").glob("search.*.js"):
        text = path.read_text("utf-8")
        if "lunr" in text and _LUNR_FIXED not in text:
            if text.count(_LUNR) != 1:
                raise RuntimeError(f"lunr has changed: see _LUNR, and look at {path}")
            path.write_text(text.replace(_LUNR, _LUNR_FIXED), "utf-8")


def shrink(site: Path) -> None:
    """Remove the comments from our own style sheet and scripts."""
    for source in (DOCS / "assets").iterdir():
        if comment := _COMMENT.get(source.suffix):
            text = comment.sub("", source.read_text("utf-8"))
            (site / "assets" / source.name).write_text(text, "utf-8")


def current(site: Path) -> set[str]:
    """Return the names of the theme's files that the pages of a site load."""
    return set(_HASHED.findall((site / "index.html").read_text("utf-8")))


def keep(site: Path) -> None:
    """Write each file of the theme under its old names, too."""
    now = {_plain(name): name for name in current(site)}
    for old in NAMES.read_text("utf-8").split():
        name = now.get(_plain(old), old)
        if name != old:
            shutil.copyfile(site / name, site / old)


def _plain(name: str) -> str:
    """Return a name without its hash."""
    return re.sub(r"\.[0-9a-f]{8}\.", ".", name)
