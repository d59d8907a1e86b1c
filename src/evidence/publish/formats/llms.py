"""Write the pages as Markdown, and llms.txt, the list of them (llmstxt.org)."""

from pathlib import Path

from evidence import pages
from evidence.pages import Page
from evidence.publish import measured
from evidence.publish.formats.markdown import from_html
from evidence.template import fill


def write(site: Path, url: str) -> None:
    """Write each page as Markdown beside it, all in one file, and the list of them."""
    found = pages.in_order()
    urls = frozenset(url + page.address for page in found)
    texts = []
    # The pages outside all sections come first, wherever they are in the nav.
    sections: dict[str, list[Page]] = {"": []}
    for page in found:
        folder = site / page.address
        html = (folder / "index.html").read_text("utf-8")
        head = pages.front_matter(
            title=page.title, description=page.description, url=url + page.address
        )
        texts.append(f"{head}\n{from_html(html, url + page.address, urls)}")
        (folder / "index.md").write_text(texts[-1], "utf-8")
        sections.setdefault(": ".join(page.sections), []).append(page)
    listed = fill(
        "llms.txt",
        settings=pages.configuration(),
        url=url,
        sections=sections,
        data=measured.files(),
    )
    (site / "llms.txt").write_text(listed, "utf-8")
    (site / "llms-full.txt").write_text("\n".join(texts), "utf-8")
