"""Render the lists of pages, from the nav of mkdocs.yml, and how to run an example.

Links in a list are relative to the page that includes it, so the list of a page is
`lists/` and the path of that page.
"""

import inspect
import pkgutil
import re
from itertools import groupby

from markdown.extensions.toc import slugify

from evidence import pages
from evidence.examples import Example
from evidence.pages import Page
from evidence.publish import package
from evidence.template import fill

_SECTION = re.compile(r"(?m)^##+ (.+)$")
#: A heading that begins with a message, maybe after the name of a program.
_MESSAGE = re.compile(r"([\w ,-]+: )?`(?!SIG|[\w.]+\(\))|\w+(Error|Warning)\b")
LIBRARY = {"process-terminate": "this library"}


def files() -> dict[str, str]:
    """Return the lists, and the line that says how to run each example."""
    topics = pages.topics()
    site = pages.site_url()
    wheel = package.url(site)
    found = {
        "install.md": fill("install.md", wheel=wheel),
        "install_venv.md": fill("install_venv.md", wheel=wheel),
        "lists/examples/index.md": "\n".join(
            _topic(Page(f"examples/{topic}/index.md"), shown)
            for topic, shown in topics.items()
        ),
        "lists/errors/index.md": _messages(),
        "lists/guides/index.md": _guides(pages.below("guides")),
        "lists/reference/index.md": _reference(pages.below("reference")),
    }
    for topic, shown in topics.items():
        examples = [(page, page.example) for page in shown if page.example]
        found[f"lists/examples/{topic}/index.md"] = "".join(
            _item(page, example.summary) for page, example in examples
        )
        for _, example in examples:
            found[f"run/{example.name}.html"] = run_line(example, site)
    return found


def _name(page: Page) -> str:
    return page.path.rpartition("/")[2]


def _item(page: Page, text: str) -> str:
    return f"- **[{page.heading}]({_name(page)})**\n  {' '.join(text.split())}\n"


def _topic(index: Page, shown: list[Page]) -> str:
    """Return the section of a topic on the page of all examples."""
    folder = index.path.split("/")[1]
    items = "".join(f"- [{page.heading}]({folder}/{_name(page)})\n" for page in shown)
    heading = f"## [{index.heading}]({folder}/index.md)"
    return f"{heading}\n\n{index.description}\n\n{items}"


def _guides(shown: list[Page]) -> str:
    """Return the guides, below their sections in the nav."""
    parts = []
    for sections, guides in groupby(shown, key=lambda page: page.sections[1:]):
        items = "".join(_item(page, page.description) for page in guides)
        parts.append("\n\n".join([*(f"## {name}" for name in sections), items]))
    return "\n".join(parts)


def _messages() -> str:
    """Return each message with a link to the section that explains it."""
    parts = []
    for page in pages.below("errors"):
        messages = _SECTION.findall(page.body)
        items = "".join(_section(page, message) for message in messages)
        parts.append(f"## [{page.heading}]({_name(page)})\n\n{items}")
    items = "".join(
        _section(page, heading)
        for page in [*pages.below("guides"), *pages.below("examples")]
        for heading in [page.heading, *_SECTION.findall(page.body)]
        if _MESSAGE.match(heading)
    )
    return "\n".join([*parts, f"## On other pages\n\n{items}"])


def _section(page: Page, heading: str) -> str:
    heading, _, own = heading.partition(" { #")
    anchor = own.removesuffix(" }") or slugify(pages.plain(heading), "-")
    return f"- [{heading}](../{page.path}#{anchor})\n"


def _reference(shown: list[Page]) -> str:
    """Return the public names with the summaries of their docstrings."""
    items = []
    for page in shown:
        if ":::" not in page.body:  # The command is no name of the package.
            items.append(f"- [{page.title}]({_name(page)}): {page.description}\n")
            continue
        name = f"process_terminate.{_name(page).removesuffix('.md')}"
        documented = pkgutil.resolve_name(name)
        text = (
            inspect.getdoc(documented)
            if callable(documented) or inspect.ismodule(documented)
            else page.description
        )
        first, _, _ = (text or "").partition("\n\n")
        items.append(f"- [`{page.title}`]({_name(page)}): {' '.join(first.split())}\n")
    return "".join(items)


def run_line(example: Example, site: str) -> str:
    """Return how to run an example; no builder knows a link to a file outside docs/."""
    needs = [LIBRARY.get(package, package) for package in example.packages]
    if python := example.header.get("requires-python"):
        oldest = python.removeprefix(">=")
        needs.append(
            f"Python {python}" if oldest == python else f"Python {oldest} or newer"
        )
    return fill(
        "run.html",
        example=example,
        file=example.path.name,
        needs=needs,
        packages=example.packages,
        site=site,
    )
