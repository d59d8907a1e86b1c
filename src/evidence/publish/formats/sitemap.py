"""Write the sitemap, with the day on which each page was last changed."""

import subprocess
from pathlib import Path
from xml.etree import ElementTree

from evidence import pages
from evidence.paths import DOCS, ROOT

_NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"


def write(site: Path, url: str) -> None:
    """Write the sitemap, and where it is; without the history of git it has no dates."""
    changed = _changes()
    urls = ElementTree.Element("urlset", xmlns=_NAMESPACE)
    for page in pages.in_order():
        entry = ElementTree.SubElement(urls, "url")
        ElementTree.SubElement(entry, "loc").text = url + page.address
        sources = [DOCS / page.path, *([page.example.path] if page.example else [])]
        names = {path.relative_to(ROOT).as_posix() for path in sources}
        if dates := [changed[name] for name in names if name in changed]:
            ElementTree.SubElement(entry, "lastmod").text = max(dates)
    ElementTree.indent(urls)
    path = site / "sitemap.xml"
    ElementTree.ElementTree(urls).write(path, "utf-8", xml_declaration=True)
    # The builder's has other dates, and a host may prefer it.
    path.with_suffix(".xml.gz").unlink(missing_ok=True)
    (site / "robots.txt").write_text(
        f"User-agent: *\nAllow: /\nSitemap: {url}sitemap.xml\n"
    )


def _changes() -> dict[str, str]:
    """Return the day of the last commit to each file, as far as git knows it."""
    if (ROOT / ".git" / "shallow").exists():  # There its oldest commit has all files.
        return {}
    command = [
        "git",
        "log",
        "--format=%x00%cs",
        "--name-only",
        "--",
        "docs",
        "examples",
    ]
    try:
        log = subprocess.check_output(
            command, cwd=ROOT, text=True, stderr=subprocess.DEVNULL, timeout=60
        )
    except (OSError, subprocess.SubprocessError):
        return {}
    changed: dict[str, str] = {}
    for commit in log.split("\0"):
        date, *names = commit.split("\n")
        for name in names:
            changed.setdefault(name, date)  # The first one is the newest.
    return changed
