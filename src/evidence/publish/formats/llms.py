"""Write the pages as Markdown, and llms.txt, the list of them (llmstxt.org)."""

from itertools import groupby
from pathlib import Path

from evidence import pages
from evidence.pages import Page
from evidence.publish import measured
from evidence.publish.formats.markdown import from_html


def write(site: Path, url: str) -> None:
    """Write each page as Markdown beside it, all in one file, and the list of them."""
    found = pages.in_order()
    urls = frozenset(url + page.address for page in found)
    texts = []
    for page in found:
        folder = site / page.address
        html = (folder / "index.html").read_text("utf-8")
        head = pages.front_matter(
            title=page.title, description=page.description, url=url + page.address
        )
        texts.append(f"{head}\n{from_html(html, url + page.address, urls)}")
        (folder / "index.md").write_text(texts[-1], "utf-8")
    (site / "llms.txt").write_text(_list(found, url), "utf-8")
    (site / "llms-full.txt").write_text("\n".join(texts), "utf-8")


def _list(found: list[Page], url: str) -> str:
    settings = pages.configuration()
    lines = [
        f"# {settings['site_name']}",
        "",
        f"> {settings['site_description']}",
        "",
        "Each page is HTML at its URL, and Markdown at that URL with `index.md`.",
        f"Each example is a Python file: `{url}examples/<topic>/<name>.py`.",
        f"Its results are in `{url}data/runs/<topic>/<name>.json`, the events of one "
        f"run in `{url}data/timelines/<topic>/<name>.json`.",
    ]
    # The pages outside all sections are one section, wherever they are in the nav.
    in_sections = sorted(found, key=lambda page: bool(page.sections))
    for sections, group in groupby(in_sections, key=lambda page: page.sections):
        lines += ["", f"## {': '.join(sections) or 'Start here'}", ""]
        lines += [
            f"- [{page.title}]({url}{page.address}index.md): {page.description}"
            for page in group
        ]
    lines += ["", "## Data", ""]
    lines += [f"- [{name}]({url}{name}): {what}" for name, what in _FILES.items()]
    return "\n".join([*lines, ""])


_FILES = {
    "llms-full.txt": "All pages in one file.",
    "objects.inv": "The names of the library, for Sphinx.",
    **measured.files(),
}
