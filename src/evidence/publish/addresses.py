"""Keep the URLs of moved pages alive.

`docs/redirects.txt` says where moved pages are now: a line each, the old URL and the
new one within the site.
"""

from html import escape
from pathlib import Path
from posixpath import relpath

from evidence import UserError, pages
from evidence.paths import DOCS
from evidence.publish.markup import file

REDIRECTS = DOCS / "redirects.txt"
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


def redirects() -> dict[str, str]:
    """Return the new URL of each page that has moved."""
    lines = REDIRECTS.read_text("utf-8").splitlines()
    found = {}
    for line in lines:
        match line.split():
            case [] | ["#", *_]:
                continue
            case [old, new]:
                found[old] = new
            case _:
                raise UserError(
                    f"{REDIRECTS.name}: expected an old and a new URL, got {line!r}"
                )
    return found


def redirect(site: Path, url: str) -> None:
    """Write a page at each old URL that leads to the new one."""
    known = {page.address for page in pages.in_order()}
    for old, new in redirects().items():
        if old in known:
            raise UserError(f"{REDIRECTS.name}: {old} is a page; remove its redirect")
        page, mark, name = new.partition("#")
        if page not in known:
            raise UserError(
                f"{REDIRECTS.name}: {old} leads to {new}, which is no page; "
                "name a page of the nav, such as reference/stop/"
            )
        relative = f"{relpath(page or '.', old)}/{mark}{name}"
        text = _PAGE.format(relative=escape(relative), absolute=escape(url + new))
        (site / old).mkdir(parents=True, exist_ok=True)
        (site / old / "index.html").write_text(text, "utf-8")


def of(site: Path) -> set[str]:
    """Return the URLs within a built site: its pages and the anchors on them."""
    found = set()
    for page in pages.in_order():
        document = file.read(site / page.address / "index.html")
        names = document.xpath("//article//@id")
        found |= {page.address or "./"}
        found |= {f"{page.address}#{name}" for name in names}
    return {address for address in found if "#__" not in address}
