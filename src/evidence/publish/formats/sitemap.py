"""Write the sitemap, with the day on which each page was last changed."""

from pathlib import Path
from xml.etree import ElementTree

from evidence import history, pages

_NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"


def write(site: Path, url: str, changed: dict[str, str]) -> None:
    """Write the sitemap, and where it is; `changed` has the day of each file's change."""
    urls = ElementTree.Element("urlset", xmlns=_NAMESPACE)
    for page in pages.in_order():
        entry = ElementTree.SubElement(urls, "url")
        ElementTree.SubElement(entry, "loc").text = url + page.address
        if date := history.last_change(page, changed):
            ElementTree.SubElement(entry, "lastmod").text = date
    ElementTree.indent(urls)
    path = site / "sitemap.xml"
    ElementTree.ElementTree(urls).write(path, "utf-8", xml_declaration=True)
    # The builder's has other dates, and a host may prefer it.
    path.with_suffix(".xml.gz").unlink(missing_ok=True)
    (site / "robots.txt").write_text(
        f"User-agent: *\nAllow: /\nSitemap: {url}sitemap.xml\n"
    )
