"""Keeps the addresses of the site: pages, and the ids on them.

Links from elsewhere lead to them, so one that was published stays, or leads on.
"""

import re
from collections.abc import Iterator
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from posixpath import relpath

from evidence.paths import ROOT

RECORD = ROOT / "docs" / "addresses.txt"
REDIRECTS = ROOT / "docs" / "redirects.txt"
_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Moved</title>
<meta name="robots" content="noindex">
<meta http-equiv="refresh" content="0; url={relative}">
<link rel="canonical" href="{absolute}">
</head>
<body><p>This page <a href="{relative}">has moved</a>.</p></body>
</html>
"""


class AddressError(Exception):
    """An address that was published leads nowhere."""


class _Ids(HTMLParser):
    """The ids in the article of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        name = dict(attrs).get("id")
        self._inside |= tag == "article"
        # The theme's own begin with two underscores.
        if self._inside and name and not name.startswith("__"):
            self.found.append(name)

    def handle_endtag(self, tag: str) -> None:
        self._inside &= tag != "article"


def of(site: Path) -> set[str]:
    """The addresses of a built site: each page, and each id on it."""
    return {address for path in _pages(site) for address in _on(site, path)}


def _pages(site: Path) -> Iterator[Path]:
    for path in site.rglob("index.html"):
        if 'http-equiv="refresh"' not in path.read_text("utf-8"):
            yield path


def _on(site: Path, path: Path) -> Iterator[str]:
    folder = path.parent.relative_to(site).as_posix()
    page = "" if folder == "." else f"{folder}/"
    yield page or "./"
    ids = _Ids()
    ids.feed(path.read_text("utf-8"))
    yield from (f"{page}#{name}" for name in ids.found)


def recorded() -> set[str]:
    """The addresses that were written down."""
    return set(RECORD.read_text("utf-8").splitlines()) if RECORD.exists() else set()


def redirects() -> dict[str, str]:
    """Where old addresses lead: a line for each, the old one and the new one."""
    lines = REDIRECTS.read_text("utf-8").splitlines()
    pairs = [line.partition(" ") for line in lines if not line.startswith("# ")]
    return {old: new for old, _, new in pairs if old}


def lost(now: set[str]) -> set[str]:
    """The recorded addresses that are gone and lead nowhere."""
    gone = recorded() - now
    moved = redirects()
    return {old for old in gone if old not in moved and old.split("#")[0] not in moved}


def write(site: Path) -> None:
    """Record the addresses of a built site beside those that were there before."""
    now = of(site)
    if found := lost(now):
        raise AddressError(
            f"these addresses are gone: {', '.join(sorted(found))}; say in "
            f"{REDIRECTS.relative_to(ROOT)} where they lead"
        )
    lines = sorted(recorded() | now)
    RECORD.write_text("\n".join([*lines, ""]), "utf-8")


def redirect(site: Path, base: str) -> None:
    """Let the old addresses lead to the new ones in a built site."""
    for old, new in redirects().items():
        page, _, name = old.partition("#")
        if name:
            _name_again(site / page / "index.html", name, old, new)
            continue
        path = site / page / "index.html"
        if path.exists():
            raise AddressError(f"{old} is a page, and cannot lead to {new}")
        if not (site / new.partition("#")[0] / "index.html").exists():
            raise AddressError(f"{old} leads to {new}, which is no page")
        path.parent.mkdir(parents=True, exist_ok=True)
        relative = relpath(new.partition("#")[0] or ".", page) + "/"
        relative += new[len(new.partition("#")[0]) :]
        text = _PAGE.format(relative=escape(relative), absolute=escape(base + new))
        path.write_text(text, "utf-8")


def _name_again(path: Path, name: str, old: str, new: str) -> None:
    """Give a heading its old id beside its new one."""
    page, _, target = new.partition("#")
    if page != old.partition("#")[0]:
        raise AddressError(
            f"{old} can lead to an id of its own page only, not to {new}"
        )
    text, count = re.subn(
        rf'<\w+[^>]* id="{re.escape(target)}"',
        lambda match: f'<span id="{escape(name)}"></span>{match[0]}',
        path.read_text("utf-8"),
        count=1,
    )
    if not count:
        raise AddressError(f"{old} leads to {new}, which is no id of this page")
    path.write_text(text, "utf-8")
