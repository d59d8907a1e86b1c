"""Writes the pages as plain Markdown: what a reader sees, without the builder's marks."""

import re
from collections.abc import Iterator
from posixpath import dirname, join, normpath
from textwrap import dedent, indent
from typing import Any, cast
from urllib.parse import urldefrag, urljoin, urlsplit

import griffe

from evidence import pages
from evidence.pages import Page
from evidence.paths import ROOT
from evidence.publish.html import VOID, from_html

_FENCE = re.compile(r"^ *(```+|~~~+)")
_SNIPPET = re.compile(r'^( *)--8<-- "([^:]+)(?::(\d+):(\d+)|:(\w+))?"$')
_ADMONITION = re.compile(r'^(?:!!!|\?\?\?\+?) +([\w-]+)[\w -]*(?: +"(.*)")?$')
_DIRECTIVE = re.compile(r"^::: (\S+)$")
_INLINE = "a|abbr|b|br|code|em|i|img|kbd|small|span|strong|sub|sup"
_HTML = re.compile(rf"^<(?:!--|/?(?!(?:{_INLINE})\b)[a-z])")
_MARKDOWN_INSIDE = re.compile(r"^<\w+[^<>]* markdown\b[^<>]*>$")
_WHOLE_TAG = re.compile(r"<[a-z][^<>]*/>")
_ATTRIBUTES = re.compile(r" *\{ ?[:.#][^}]*\}$")
# The code spans of a line are left as they are.
_CODE_OR_LINK = re.compile(r"(`+).+?\1(?!`)|\]\((?P<href>[^)\s]+)(?P<rest>[^)]*)\)")
_DEFINITION = re.compile(r"^(\[[^\]]+\]: +)(\S+)")
_TO_OBJECT = re.compile(r"\]\[((?:\w+\.)+\w+)\]")


class Writer:
    """Writes pages as Markdown, with links that hold wherever it is read."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.pages = {page.path: page for page in pages.in_order()}
        self._by_address = {page.address: page for page in self.pages.values()}
        self._packages: dict[str, griffe.Object] = {}
        self._of_object = {
            match[1]: page
            for page in self.pages.values()
            for match in re.finditer(r"(?m)^::: (\S+)$", page.body)
        }

    def of(self, page: Page) -> str:
        """A page: its title, its description, its address, and its text."""
        head = pages.front_matter(
            title=page.title,
            description=page.description,
            url=self.base + page.address,
        )
        text = self.text(page.body, page)
        text = text.replace(pages.uv_command(pages.HERE), pages.uv_command(self.base))
        return f"{head}\n{text}\n"

    def text(self, source: str, page: Page) -> str:
        """The text of a page, or of a part of it."""
        found: list[str] = []
        for block in self._lines(_with_snippets(source).splitlines(), page):
            if block or (found and found[-1]):  # One blank line is enough.
                found.append(block)
        return "\n".join(found).strip("\n")

    def _lines(self, lines: list[str], page: Page) -> Iterator[str]:
        rest = list(reversed(lines))
        while rest:
            line = rest.pop()
            if fence := _FENCE.match(line):
                yield "\n".join([line, *_until(rest, fence[1])])
            elif admonition := _ADMONITION.match(line):
                title = admonition[2] or admonition[1].capitalize()
                inner = dedent("\n".join(_indented(rest)))
                yield from ["", f"**{title}**", "", self.text(inner, page), ""]
            elif directive := _DIRECTIVE.match(line):
                list(_indented(rest))  # Options of this one.
                yield from ["", self.reference(directive[1], page), ""]
            elif _MARKDOWN_INSIDE.match(line):
                yield ""
            elif _HTML.match(line):
                html = "\n".join(_element(line, rest))
                yield from ["", self._html(html, page), ""]
            elif not _ATTRIBUTES.fullmatch(line):
                yield self._prose(line, page)

    def _prose(self, line: str, page: Page) -> str:
        """A line of sentences, whose links become absolute."""

        def absolute(match: re.Match[str]) -> str:
            if not match["href"]:
                return match[0]
            return f"]({self.from_source(page, match['href'])}{match['rest']})"

        line = _CODE_OR_LINK.sub(absolute, _ATTRIBUTES.sub("", line))
        line = _TO_OBJECT.sub(lambda m: f"]({self.to_object(m[1])})", line)
        return _DEFINITION.sub(lambda m: f"{m[1]}{self.from_source(page, m[2])}", line)

    def from_source(self, page: Page, href: str) -> str:
        """Where a link in the source of a page leads."""
        path, fragment = urldefrag(href)
        if urlsplit(href).scheme:
            return href
        if not path:
            return f"{self.base}{page.address}#{fragment}"
        target = normpath(join(dirname(page.path), path))
        if target not in self.pages:
            return self.base + target
        return self._to(self.pages[target], fragment)

    def from_site(self, page: Page, href: str) -> str:
        """Where a link in the HTML of a built page leads."""
        path, fragment = urldefrag(urljoin(f"/{page.address}", href))
        if urlsplit(path).scheme:
            return href
        found = self._by_address.get(path.removeprefix("/"))
        return self._to(found, fragment) if found else self.base + path[1:]

    def to_object(self, name: str) -> str:
        """Where an object of the library is described."""
        for known, page in self._of_object.items():
            if name == known or name.startswith(f"{known}."):
                return self._to(page, "" if name == known else name)
        raise KeyError(f"no page describes {name}")

    def _to(self, page: Page, fragment: str) -> str:
        """The Markdown of a page; its HTML where only that has what is named."""
        if fragment:
            return f"{self.base}{page.address}#{fragment}"
        return f"{self.base}{page.address}index.md"

    def _html(self, html: str, page: Page) -> str:
        return from_html(html, lambda href: self.from_site(page, href))

    def _package(self, name: str) -> griffe.Object:
        if name not in self._packages:
            paths = [ROOT / "src"]
            found = griffe.load(name, search_paths=paths, resolve_aliases=True)
            self._packages[name] = cast("griffe.Object", found)
        return self._packages[name]

    def reference(self, name: str, page: Page) -> str:
        """What the docstring of an object says, in the order of the page."""
        package, _, path = name.partition(".")
        text = "\n\n".join(_described(self._package(package)[path], "#"))
        return self.text(text, page)


def _marks(lines: list[str], section: str) -> list[int]:
    """Where a section of a file begins and ends, by a comment of its language."""
    marks = [f"--8<-- [{at}:{section}]" for at in ("start", "end")]
    return [n for mark in marks for n, line in enumerate(lines) if mark in line]


def _with_snippets(source: str) -> str:
    """The text with the files that it embeds."""

    def embedded(line: str) -> str:
        if not (match := _SNIPPET.match(line)):
            return line
        found = next(
            b / match[2] for b in (ROOT, ROOT / ".build") if (b / match[2]).exists()
        )
        lines = found.read_text("utf-8").splitlines()
        if match[3]:
            lines = lines[int(match[3]) - 1 : int(match[4])]
        if match[5]:
            first, last = _marks(lines, match[5])
            lines = lines[first + 1 : last]
        text = dedent("\n".join(lines)) if match[5] else "\n".join(lines)
        return indent(text, match[1])

    return "\n".join(map(embedded, source.splitlines()))


def _until(rest: list[str], fence: str) -> Iterator[str]:
    """The lines up to the end of a fence."""
    while rest:
        line = rest.pop()
        yield line
        if line.strip() == fence:
            return


def _indented(rest: list[str]) -> Iterator[str]:
    """The lines that belong to the one before."""
    while rest and (not rest[-1].strip() or rest[-1].startswith("    ")):
        yield rest.pop()


def _element(line: str, rest: list[str]) -> Iterator[str]:
    """The lines of an HTML element: up to its end, or to a blank line after it."""
    depth = 0
    while True:
        yield line
        tags = re.findall(r"<(/?)([a-z][a-z0-9]*)\b", _WHOLE_TAG.sub("", line))
        depth += sum(-1 if close else 1 for close, name in tags if name not in VOID)
        if not rest or _MARKDOWN_INSIDE.match(rest[-1]):
            return
        if depth <= 0 and not _HTML.match(rest[-1]):
            return
        line = rest.pop()


def _described(found: Any, level: str) -> Iterator[str]:
    """An object: heading, signature, text, and the members that are for readers."""
    yield f"{level} `{found.name}`"
    yield f"```python\n{_signature(found)}\n```"
    if found.docstring:
        options = pages.configuration_of_docstrings()
        for section in found.docstring.parse("google", **options):
            yield from _section(section)
    if found.is_class:
        for member in found.members.values():
            if member.is_public and member.has_docstring:
                yield from _described(member, f"{level}#")


def _signature(found: Any) -> str:
    if found.is_attribute:
        return f"{found.name}: {found.annotation}"
    if found.is_class:
        return str(found.signature())
    labels = [f"@{name}\n" for name in ("classmethod", "staticmethod")]
    used = [label for label in labels if label[1:-1] in found.labels]
    return f"{''.join(used)}{found.signature(return_type=True)}"


def _section(section: griffe.DocstringSection) -> Iterator[str]:
    """A section of a docstring: a text, a list, or a box."""
    kind = section.kind.value
    if kind == "text":
        yield section.value
    elif kind == "admonition":
        yield f"**{section.title}**"
        yield section.value.description
    else:
        yield f"**{section.title or kind.capitalize()}:**"
        yield "\n".join(map(_entry, section.value))


def _entry(entry: Any) -> str:
    """What is said of a parameter, a return value, or an error."""
    text = " ".join(entry.description.split())
    kind = f"`{entry.annotation}`" if entry.annotation else ""
    if name := getattr(entry, "name", ""):
        default = f", default `{entry.value}`" if getattr(entry, "value", None) else ""
        return f"- `{name}` ({kind}{default}): {text}"
    return f"- {kind}: {text}"
