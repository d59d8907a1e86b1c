"""Read the prose of Markdown and of docstrings, with the lines that it is on."""

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mkdocs.utils.meta import get_data

# Indented text is in a list or in a box, and never code.
_MARKDOWN = MarkdownIt().enable("table").disable("code")
# What Python-Markdown reads and CommonMark does not.
_MARKS = re.compile(
    r"\{[ :#.][^{}]*\}|\]\[[^\]]*\]|^:::.*|^:   |^(?:!!!|\?\?\?\+?) \w+|^--8<--.*", re.M
)
# A line such as "Args:" or "Warning: Caveats" is the head of a section.
_SECTION = re.compile(r"^[ \t]*[A-Z]\w+:(?: [A-Z]\w+)?[ \t]*$", re.M)
# Pages have one sentence per line.
_END = re.compile(r"[.!?][\"')*]*(?:[ \t]*\n|\s+(?=[\"'(*]*[A-Z0-9]))")
#: What stands for inline code: one word, which no rule concerns.
CODE = "CODE"


@dataclass(frozen=True)
class Link:
    """A link: its text without marks, its target, and the heading above it."""

    line: int
    text: str
    target: str
    section: str


@dataclass(frozen=True)
class Block:
    """A paragraph, a heading or a cell, without marks; `line` is where it begins."""

    line: int
    text: str
    kind: str
    links: tuple[Link, ...] = ()

    def line_of(self, offset: int) -> int:
        """Return the line of a character of the text."""
        return self.line + self.text.count("\n", 0, offset)

    def sentences(self) -> Iterator[tuple[int, str]]:
        """Yield each sentence with the line on which it begins."""
        begin = 0
        for end in [
            *(found.end() for found in _END.finditer(self.text)),
            len(self.text),
        ]:
            if sentence := self.text[begin:end].strip():
                yield self.line_of(begin), sentence
            begin = end


def blocks(path: Path) -> list[Block]:
    """Return the prose of a Markdown file, or of the docstrings of a Python file."""
    source = path.read_text("utf-8")
    if path.suffix == ".py":
        return [
            block for line, text in _docstrings(source) for block in _read(text, line)
        ]
    body, meta = get_data(source)
    # The front matter has a description, which search engines and lists show.
    top = (
        [Block(1, str(meta["description"]), "description")]
        if meta.get("description")
        else []
    )
    start = source[: len(source) - len(body)].count("\n") if body in source else 0
    return [*top, *_read(body, start + 1)]


def _docstrings(source: str) -> Iterator[tuple[int, str]]:
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, kinds) and (text := ast.get_docstring(node)):
            yield node.body[0].lineno, _SECTION.sub("", text)


def _read(text: str, start: int) -> Iterator[Block]:
    """Yield the blocks of Markdown that begins at a line."""
    tokens: Sequence[Token] = _MARKDOWN.parse(text)
    section, kind = "", "paragraph"
    for before, token in zip([None, *tokens], tokens, strict=False):
        if before is not None and before.type in _KINDS:
            kind = _KINDS[before.type]
        if token.type != "inline" or token.map is None:
            continue
        line = start + token.map[0]
        plain = _MARKS.sub("", _plain(token.children or []))
        if kind == "heading":
            section = plain.strip()
        links = tuple(_links(token, line, section))
        if plain.strip():
            yield Block(line, plain, kind, links)


_KINDS = {
    "paragraph_open": "paragraph",
    "heading_open": "heading",
    "th_open": "cell",
    "td_open": "cell",
}


def _plain(tokens: Sequence[Token]) -> str:
    """Return the words of inline tokens: no code, no targets, no HTML."""
    words = {"code_inline": CODE, "softbreak": "\n", "hardbreak": "\n"}
    return "".join(
        words.get(token.type, token.content if token.type == "text" else "")
        for token in tokens
    )


def _links(inline: Token, line: int, section: str) -> Iterator[Link]:
    opened: Token | None = None
    text = ""
    for token in inline.children or []:
        match token.type:
            case "link_open":
                opened, text = token, ""
            case "link_close" if opened:
                yield Link(line, text, str(opened.attrs.get("href", "")), section)
                opened = None
            case "softbreak":
                line += 1
                text += " "
            case "text" | "code_inline":
                text += token.content
