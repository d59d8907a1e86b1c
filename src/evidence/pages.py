"""Read the pages: the nav of mkdocs.yml is the one list of them."""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from html import unescape
from itertools import groupby
from typing import Any
from urllib.parse import urlsplit

from mkdocs.utils.meta import get_data
from mkdocs.utils.yaml import yaml_load

from evidence.examples import Example
from evidence.paths import DOCS, EXAMPLES, ROOT

_SNIPPET = re.compile(r'(?m)^ *--8<-- "([^"]+)"$')


@dataclass(frozen=True)
class Page:
    """A Markdown file in docs/, and where the nav has it under which name."""

    path: str
    sections: tuple[str, ...] = ()
    name: str | None = None

    @cached_property
    def source(self) -> str:
        """Return the text of the file."""
        return (DOCS / self.path).read_text("utf-8")

    @cached_property
    def _parts(self) -> tuple[str, dict[str, Any]]:
        found: tuple[str, dict[str, Any]] = get_data(self.source)
        return found

    @property
    def meta(self) -> dict[str, Any]:
        """Return the front matter."""
        return self._parts[1]

    @property
    def body(self) -> str:
        """Return the text without the front matter."""
        return self._parts[0]

    @property
    def heading(self) -> str:
        """Return the first heading as Markdown; the title if there is none."""
        lines = self.body.splitlines()
        found = (line[2:].strip() for line in lines if line.startswith("# "))
        return next(found, str(self.meta.get("title", self.path)))

    @property
    def title(self) -> str:
        """Return the title of the front matter, or else the heading, as text."""
        return str(self.meta.get("title") or plain(self.heading))

    @property
    def description(self) -> str:
        """Return the sentence of the front matter that says what the page says."""
        return str(self.meta.get("description", ""))

    @property
    def address(self) -> str:
        """Return the URL within the site: empty for the first page."""
        folder = self.path.removesuffix(".md").removesuffix("index").rstrip("/")
        return f"{folder}/" if folder else ""

    @property
    def example(self) -> Example | None:
        """Return the example that the page shows; None for other pages."""
        match self.path.removesuffix(".md").split("/"):
            case ["examples", topic, name] if name != "index":
                return Example(EXAMPLES / topic / f"{name}.py")
        return None


def snippets(text: str) -> list[str]:
    """Return the files that a text embeds, some with the lines that it shows."""
    return _SNIPPET.findall(text)


def plain(heading: str) -> str:
    """Return a heading of Markdown as text."""
    return unescape(heading.replace("`", ""))


def configuration() -> dict[str, Any]:
    """Return the settings of the site, with those of the environment."""
    text = (ROOT / "mkdocs.yml").read_text("utf-8")
    return _parsed(text, tuple(os.environ.get(name) for name in _ENVIRONMENT))


#: The variables that mkdocs.yml reads.
_ENVIRONMENT = ("SITE_URL", "REPO_URL", "EDIT_URI")


@cache  # Parsing takes a tenth of a second, and each page asks for the nav.
def _parsed(text: str, _environment: tuple[str | None, ...]) -> dict[str, Any]:
    settings: dict[str, Any] = yaml_load(text)
    return settings


def site_url() -> str:
    """Return the URL of the site: `SITE_URL`, or the default in mkdocs.yml."""
    return str(configuration()["site_url"]).rstrip("/") + "/"


def root() -> str:
    """Return the path of the site on its host.

    Links in rendered HTML begin with it: MkDocs leaves a relative link as it is, but
    Zensical reads it as relative to the source of the page.
    """
    return urlsplit(site_url()).path


def in_order() -> list[Page]:
    """Return every page, in the order of the nav."""

    def walk(node: Any, sections: tuple[str, ...]) -> Iterator[Page]:
        match node:
            case str():
                yield Page(node, sections)
            case dict():
                for name, inner in node.items():
                    if isinstance(inner, str):
                        yield Page(inner, sections, name)
                    else:
                        yield from walk(inner, (*sections, name))
            case list():
                for inner in node:
                    yield from walk(inner, sections)

    return list(walk(configuration()["nav"], ()))


def below(folder: str) -> list[Page]:
    """Return the pages of a folder of docs/ but its index, in the order of the nav."""
    return [
        page
        for page in in_order()
        if page.path.startswith(f"{folder}/") and not page.path.endswith("/index.md")
    ]


def topics() -> dict[str, list[Page]]:
    """Return the pages of the examples by the folder of their topic."""
    groups = groupby(below("examples"), key=lambda page: page.path.split("/")[1])
    return {topic: list(group) for topic, group in groups}


def front_matter(**entries: str) -> str:
    """Return lines of front matter; JSON's strings are YAML's."""
    lines = [f"{k}: {json.dumps(v, ensure_ascii=False)}" for k, v in entries.items()]
    return "\n".join(["---", *lines, "---", ""])
