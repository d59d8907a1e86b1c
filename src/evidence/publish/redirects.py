"""Let the old URL of a moved page lead to the new one.

`docs/redirects.txt` says where moved pages are now: a line each, the old URL and the
new one within the site.
"""

from pathlib import Path
from posixpath import relpath

from evidence import UserError, pages
from evidence.paths import DOCS
from evidence.template import fill

PATH = DOCS / "redirects.txt"


def load() -> dict[str, str]:
    """Return the new URL of each page that has moved."""
    lines = PATH.read_text("utf-8").splitlines()
    found = {}
    for line in lines:
        match line.split():
            case [] | ["#", *_]:
                continue
            case [old, new]:
                found[old] = new
            case _:
                raise UserError(
                    f"{PATH.name}: expected an old and a new URL, got {line!r}"
                )
    return found


def write(site: Path, url: str) -> None:
    """Write a page at each old URL that leads to the new one."""
    known = {page.address for page in pages.in_order()}
    for old, new in load().items():
        if old in known:
            raise UserError(f"{PATH.name}: {old} is a page; remove its redirect")
        page, mark, name = new.partition("#")
        if page not in known:
            raise UserError(
                f"{PATH.name}: {old} leads to {new}, which is no page; "
                "name a page of the nav, such as reference/stop/"
            )
        relative = f"{relpath(page or '.', old)}/{mark}{name}"
        text = fill("moved.html", relative=relative, absolute=url + new)
        (site / old).mkdir(parents=True, exist_ok=True)
        (site / old / "index.html").write_text(text, "utf-8")
