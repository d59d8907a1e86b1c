"""The pages: their order, titles, descriptions, and addresses."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from html import escape
from pathlib import Path
from typing import Any

import yaml
from mkdocs.utils.meta import get_data
from mkdocs.utils.yaml import yaml_load

from evidence import examples
from evidence.examples import Example
from evidence.paths import ROOT
from evidence.render.tables import FRAGMENTS

DOCS = ROOT / "docs"
#: Where the site is when nobody says so: the default of `site_url` in mkdocs.yml.
HERE = "http://127.0.0.1:8000/"
#: What search engines show of a description, and what says enough.
SHORTEST, LONGEST = 50, 160

# No heading, list, table, snippet, HTML, or anything else but sentences.
_PROSE = re.compile(r"(?![-#:|!?<>] |[-#:<|*]{2,}|<)\S")
_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")
_LIBRARY = "process-terminate"


@dataclass(frozen=True)
class Page:
    """A Markdown file in docs/, and the sections of the navigation it is in."""

    path: str
    sections: tuple[str, ...] = ()

    @cached_property
    def source(self) -> str:
        """The text of the file."""
        return (DOCS / self.path).read_text("utf-8")

    @cached_property
    def _parts(self) -> tuple[str, dict[str, Any]]:
        found: tuple[str, dict[str, Any]] = get_data(self.source)
        return found

    @property
    def meta(self) -> dict[str, Any]:
        """Its front matter."""
        return self._parts[1]

    @property
    def body(self) -> str:
        """The text without the front matter."""
        return self._parts[0]

    @property
    def title(self) -> str:
        """As the front matter or the heading has it."""
        if found := self.meta.get("title"):
            return str(found)
        heading = re.search(r"(?m)^# (.+)$", self.body)
        return plain(heading[1]) if heading else self.path

    @property
    def description(self) -> str:
        """What the page says, in a sentence or two."""
        return str(self.meta.get("description", ""))

    @property
    def address(self) -> str:
        """Where it is within the site: empty for the first page."""
        folder = self.path.removesuffix(".md")
        folder = re.sub(r"(^|/)index$", r"\1", folder)
        return folder if not folder or folder.endswith("/") else folder + "/"


def configuration() -> dict[str, Any]:
    """The settings of the site, with those of the environment."""
    return _parsed((ROOT / "mkdocs.yml").read_text("utf-8"))


@cache  # It takes a tenth of a second, and each docstring asks for it.
def _parsed(text: str) -> dict[str, Any]:
    settings: dict[str, Any] = yaml_load(text)
    return settings


def configuration_of_docstrings() -> dict[str, Any]:
    """How the site reads docstrings."""
    for plugin in configuration()["plugins"]:
        if "mkdocstrings" in plugin:
            handler = plugin["mkdocstrings"]["handlers"]["python"]
            found: dict[str, Any] = handler["options"]["docstring_options"]
            return found
    return {}


def in_order() -> list[Page]:
    """Every page, in the order of the navigation."""

    def walk(node: Any, sections: tuple[str, ...]) -> Iterator[Page]:
        match node:
            case str():
                yield Page(node, sections)
            case dict():
                for name, inner in node.items():
                    below = (*sections, name) if isinstance(inner, list) else sections
                    yield from walk(inner, below)
            case list():
                for inner in node:
                    yield from walk(inner, sections)

    return list(walk(configuration()["nav"], ()))


def plain(markdown: str) -> str:
    """Markdown as the words that a reader sees."""
    return " ".join(
        _LINK.sub(r"\1", markdown).replace("`", "").replace("*", "").split()
    )


def complete() -> None:
    """Add to the pages what can be added: a description, and the line to run it."""
    for page in in_order():
        text = page.source
        if not page.description:
            text = _described(page)
        (DOCS / page.path).write_text(text, "utf-8")
    for example in examples.find():
        path = DOCS / "examples" / f"{example.name}.md"
        if path.exists():
            path.write_text(_runnable(path.read_text("utf-8"), example), "utf-8")


def _described(page: Page) -> str:
    """The page with its first sentences as its description."""
    lines = re.sub(r"(?ms)^ *```.*?^ *```$", "", page.body).splitlines()
    text = first_sentences([plain(line) for line in lines if _PROSE.match(line)])
    meta = yaml.safe_dump(
        {**page.meta, "description": text},
        allow_unicode=True,
        sort_keys=False,
        width=10_000,
    )
    return f"---\n{meta}---\n\n{page.body.strip()}\n"


def first_sentences(lines: list[str]) -> str:
    """As many sentences as a description holds; a long one up to a pause.

    A line of a page is a sentence, or a few short ones.
    """
    sentences = [s for line in lines for s in re.split(r"(?<=[.?]) (?=[A-Z])", line)]
    found = sentences[0] if sentences else ""
    for sentence in sentences[1:]:
        if len(found) >= SHORTEST and len(found) + 1 + len(sentence) > LONGEST:
            break
        found += f" {sentence}"
    if len(found) > LONGEST:
        pause = max(found.rfind(mark, SHORTEST, LONGEST) for mark in ",;:")
        end = pause if pause > 0 else found.rfind(" ", SHORTEST, LONGEST)
        found = found[:end] + "."
    return found.removesuffix(":") + "." if found.endswith(":") else found


def _runnable(page: str, example: Example) -> str:
    """The page of an example with the line that says how to run it."""
    snippet = f'--8<-- "{run_line_path(example).relative_to(FRAGMENTS).as_posix()}"'
    if snippet in page:
        return page
    code = f'--8<-- "examples/{example.name}.py"\n```\n'
    return page.replace(code, f"{code}\n{snippet}\n", 1)


def run_line_path(example: Example) -> Path:
    """Where the line is that says how to run an example."""
    return FRAGMENTS / "run" / f"{example.name}.html"


def write_run_lines() -> None:
    """Write all, and remove those of examples that are gone."""
    wanted = {run_line_path(example): run_line(example) for example in examples.find()}
    for path in FRAGMENTS.glob("run/*/*.html"):
        if path not in wanted:
            path.unlink()
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def run_line(example: Example) -> str:
    """How to run an example, as HTML: no builder knows a file outside of docs/."""
    name = f"{example.name.split('/')[1]}.py"
    link = f'<a href="../{name}" download>{name}</a>'
    if _LIBRARY in example.packages:
        command = f".venv/bin/python examples/{example.name}.py"
        return (
            f'<p class="run">Run it: {link} needs this library; in a clone of the '
            f"project, after <code>make setup</code>: <code>{command}</code></p>\n"
        )
    needs = [*example.packages]
    if python := example.header.get("requires-python"):
        needs.append(f"Python {python.removeprefix('>=')} or newer")
    asks = f" It needs {escape(' and '.join(needs))}, which uv brings." if needs else ""
    if example.platforms == ("linux",):
        asks += " It runs on Linux only."
    return (
        f'<p class="run">Run it: download {link}, then <code>python {name}</code>; '
        f"or without a download <code>{uv_command(HERE)}{example.name}.py</code>.{asks}"
        "</p>\n"
    )


def uv_command(base: str) -> str:
    """How uv runs an example from its address, up to the name of the example."""
    return f"uv run {base}examples/"


def front_matter(**entries: str) -> str:
    """Lines of front matter; JSON's strings are YAML's."""
    lines = [f"{k}: {json.dumps(v, ensure_ascii=False)}" for k, v in entries.items()]
    return "\n".join(["---", *lines, "---", ""])
