"""Write the sitemap, with the day on which each page was last changed."""

from pathlib import Path

from evidence import history, pages
from evidence.template import fill


def write(site: Path, url: str, changed: dict[str, str]) -> None:
    """Write the sitemap, and where it is; `changed` has the day of each file's change."""
    found = [(page, history.last_change(page, changed)) for page in pages.in_order()]
    path = site / "sitemap.xml"
    path.write_text(fill("sitemap.xml", url=url, pages=found).rstrip(), "utf-8")
    # The builder's has other dates, and a host may prefer it.
    path.with_suffix(".xml.gz").unlink(missing_ok=True)
    (site / "robots.txt").write_text(
        f"User-agent: *\nAllow: /\nSitemap: {url}sitemap.xml\n"
    )
