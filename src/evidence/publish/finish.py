"""Finishes the built site: what only the site has, and no source.

`make site` runs it after MkDocs: `python -m evidence.publish site`.
"""

import gzip
import os
import re
import shutil
import subprocess
import sys
from html import escape
from itertools import groupby
from pathlib import Path
from urllib.parse import urlsplit

from evidence import examples, pages
from evidence.pages import Page
from evidence.paths import ROOT
from evidence.publish import addresses
from evidence.publish.markdown import Writer
from evidence.publish.polish import polish


class FinishedError(Exception):
    """A site is finished once: all of it is made anew by the next build."""


def build(site: Path, base: str | None = None) -> None:
    """Build the site with every warning an error, and finish it."""
    environment = {**os.environ, **({"SITE_URL": base} if base else {})}
    command = [sys.executable, "-m", "mkdocs", "build", "--strict"]
    built = subprocess.run(
        [*command, "--site-dir", site],
        cwd=ROOT,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    if built.returncode:
        raise RuntimeError(built.stderr)
    finish(site, base)


def finish(site: Path, base: str | None = None) -> None:
    """Add to the built site what is made for it; `base` is its address."""
    base = (base or pages.configuration()["site_url"]).rstrip("/") + "/"
    if (site / "llms.txt").exists():
        raise FinishedError(f"{site} is finished already; build it first")
    copy_examples(site)
    addresses.redirect(site, base)
    write_markdown(site, base)
    write_not_found(site, base)
    correct_sitemap(site)
    name_the_address(site / "search" / "search_index.json", base)
    # Each page is read and written once: they are many.
    polish(site, lambda path, text: with_address(with_markdown(text, path), base))


def copy_examples(site: Path) -> None:
    """Lay each example beside its page, to be downloaded."""
    for example in examples.find():
        shutil.copyfile(example.path, site / "examples" / f"{example.name}.py")


def with_address(text: str, base: str) -> str:
    """Say where the examples are, in the commands that fetch them."""
    return text.replace(pages.uv_command(pages.HERE), pages.uv_command(base))


def name_the_address(path: Path, base: str) -> None:
    """Do the same in a file."""
    path.write_text(with_address(path.read_text("utf-8"), base), "utf-8")


def write_markdown(site: Path, base: str) -> None:
    """Write each page as Markdown beside it, all in one, and a list of them."""
    writer = Writer(base)
    found = {page: writer.of(page) for page in writer.pages.values()}
    for page, text in found.items():
        (site / page.address / "index.md").write_text(text, "utf-8")
    (site / "llms.txt").write_text(llms(list(found), base), "utf-8")
    (site / "llms-full.txt").write_text("\n".join(found.values()), "utf-8")


def with_markdown(text: str, path: Path) -> str:
    """Name in a page the Markdown beside it, if there is one."""
    if path.name != "index.html" or not path.with_suffix(".md").exists():
        return text
    # With the space it is the same for HTML, but not for Material's script, which
    # takes what is just "alternate" for a translation, and asks for its sitemap.
    link = '<link rel="alternate " type="text/markdown" href="index.md">'
    return text.replace("</head>", f"{link}</head>", 1)


def llms(found: list[Page], base: str) -> str:
    """The pages with their descriptions, in the form of llmstxt.org."""
    settings = pages.configuration()
    lines = [
        f"# {settings['site_name']}",
        "",
        f"> {settings['site_description']}",
        "",
        "Each page is HTML at its address, and Markdown at the address with `index.md`.",
        "Each example is a Python file beside its page: "
        f"`{base}examples/<topic>/<name>.py`.",
    ]
    in_sections = sorted(found, key=lambda page: bool(page.sections))
    for sections, group in groupby(in_sections, key=lambda page: page.sections):
        lines += ["", f"## {': '.join(sections) or 'Start here'}", ""]
        lines += [
            f"- [{page.title}]({base}{page.address}index.md): {page.description}"
            for page in group
        ]
    lines += ["", "## Data", ""]
    lines += [f"- [{name}]({base}{path}): {text}" for name, path, text in _data()]
    return "\n".join([*lines, ""])


def _data() -> list[tuple[str, str, str]]:
    """The files that are for programs: name, address, and what is in it."""
    return [
        ("llms-full.txt", "llms-full.txt", "All pages in one file."),
        ("objects.inv", "objects.inv", "The names of the library, for Sphinx."),
    ]


def write_not_found(site: Path, base: str) -> None:
    """Say on the page for a wrong address where the right ones are."""
    path = site / "404.html"
    text, count = re.subn(
        r"<h1>404 - Not found</h1>",
        lambda _: not_found(urlsplit(base).path),
        path.read_text("utf-8"),
    )
    if count != 1:
        raise ValueError(f"{path} has not the heading that Material gives it")
    name = pages.configuration()["site_name"]
    text = text.replace(f"<title>{name}</title>", f"<title>Not found - {name}</title>")
    path.write_text(text, "utf-8")


def not_found(root: str) -> str:
    """What stands on that page; its links begin at the root of the host."""
    shown: dict[str, Page] = {}
    for page in pages.in_order():  # The first page of each section.
        shown.setdefault(page.sections[0] if page.sections else page.path, page)
    items = "\n".join(
        f'<li><a href="{root}{page.address}">{escape(page.title)}</a>: '
        f"{escape(page.description)}</li>"
        for page in shown.values()
    )
    return (
        "<h1>There is no page at this address</h1>\n"
        "<p>It may be misspelt. What you look for may be here:</p>\n"
        f"<ul>\n{items}\n</ul>\n"
        "<p>Or search: press <kbd>/</kbd>.</p>"
    )


def correct_sitemap(site: Path) -> None:
    """Take the dates out: they are those of the build, and not of the pages."""
    path = site / "sitemap.xml"
    text = re.sub(r"\s*<lastmod>.*?</lastmod>", "", path.read_text("utf-8"))
    path.write_text(text, "utf-8")
    path.with_suffix(".xml.gz").write_bytes(gzip.compress(text.encode(), mtime=0))


if __name__ == "__main__":
    try:
        finish(Path(sys.argv[1]))
    except (addresses.AddressError, FinishedError) as error:
        sys.exit(f"publish: {error}")
