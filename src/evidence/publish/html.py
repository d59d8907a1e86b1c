"""Says in Markdown what HTML says: tables, lists, and text."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

#: Elements without an end.
VOID = {"br", "hr", "img", "input", "link", "meta", "wbr"}
#: Elements that say nothing in Markdown, as do pictures: those have their events in words.
_SILENT = {"button", "fieldset", "form", "script", "style", "template"}
_PICTURE = re.compile(r"<svg\b.*?</svg>", re.S)
_BLOCKS = {"article", "aside", "body", "div", "dl", "figure", "nav", "p", "section"}
_OUTER = {"details", "ol", "pre", "table", "ul"} | _BLOCKS


def from_html(html: str, resolve: Callable[[str], str]) -> str:
    """The Markdown of a piece of HTML; `resolve` says where its links lead."""
    # A third of the tags are those of pictures.
    html = _PICTURE.sub("", html)
    return "\n\n".join(_Blocks(resolve).of(_parsed(html)))


@dataclass
class _Node:
    tag: str
    attributes: dict[str, str | None] = field(default_factory=dict)
    children: list["_Node | str"] = field(default_factory=list)

    def all(self, tag: str) -> Iterator["_Node"]:
        """The elements below with this name, in their order."""
        for child in self.children:
            if isinstance(child, _Node):
                if child.tag == tag:
                    yield child
                yield from child.all(tag)

    @property
    def words(self) -> str:
        """The text below, as it is."""
        return "".join(c if isinstance(c, str) else c.words for c in self.children)


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open = [_Node("body")]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = _Node(tag, dict(attrs))
        self.open[-1].children.append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(_Node(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag in {node.tag for node in self.open[1:]}:
            while self.open.pop().tag != tag:
                pass

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def _parsed(html: str) -> _Node:
    parser = _Parser()
    parser.feed(html)
    parser.close()
    return parser.open[0]


class _Blocks:
    """The blocks of Markdown that say what HTML says."""

    def __init__(self, resolve: Callable[[str], str]) -> None:
        self._resolve = resolve

    def of(self, node: _Node, depth: int = 0) -> Iterator[str]:
        """The blocks below an element."""
        line = ""
        for child in node.children:
            if isinstance(child, str) or child.tag not in _OUTER | _SILENT | {
                "summary"
            }:
                line += self._inline(child)
                continue
            if line.strip():
                yield " ".join(line.split())
            line = ""
            if child.tag not in _SILENT:
                yield from self._block(child, depth)
        if line.strip():
            yield " ".join(line.split())

    def _block(self, node: _Node, depth: int) -> Iterator[str]:
        match node.tag:
            case "summary":
                if depth < 2:  # An inner one only opens what is open here.
                    yield f"**{self._line(node)}**"
            case "details":
                yield from self.of(node, depth + 1)
            case "ol" | "ul":
                mark = "1." if node.tag == "ol" else "-"
                items = [self._line(item) for item in node.all("li")]
                yield "\n".join(f"{mark} {item}" for item in items)
            case "pre":
                yield f"```text\n{node.words.strip()}\n```"
            case "table":
                yield from self._table(node)
            case _:
                yield from self.of(node, depth)

    def _table(self, node: _Node) -> Iterator[str]:
        """A table, with one line for its head; its caption stands before it."""
        for caption in node.all("caption"):
            yield self._line(caption)
        head, body = _grid(node, self._line)
        names = [
            " ".join(dict.fromkeys(filter(None, column)))
            for column in zip(*head, strict=True)
        ]
        rows = [names, ["---"] * len(names), *body]
        yield "\n".join(f"| {' | '.join(row)} |" for row in rows)

    def _line(self, node: _Node) -> str:
        text = "".join(map(self._inline, node.children))
        return " ".join(text.split()).replace("|", "\\|")

    def _inline(self, node: "_Node | str") -> str:
        if isinstance(node, str):
            return node
        text = "".join(map(self._inline, node.children))
        match node.tag:
            case "code" | "kbd":
                text = f"`{node.words}`"
            case "a" if href := node.attributes.get("href"):
                text = f"[{text}]({self._resolve(href)})"
            case "b" | "strong":
                text = f"**{text}**"
            case "em" | "i":
                text = f"*{text}*"
            case "br":
                text = " "
        return "" if node.tag in _SILENT else text


def _grid(
    node: _Node, text: Callable[[_Node], str]
) -> tuple[list[list[str]], list[list[str]]]:
    """The rows of the head and of the body, with a cell in each column."""
    head: list[list[str]] = []
    body: list[list[str]] = []
    below: dict[int, tuple[int, str]] = {}  # Cells that reach into later rows.
    for row in node.all("tr"):
        cells = [c for c in row.children if isinstance(c, _Node)]
        in_head = not body and all(cell.tag == "th" for cell in cells)
        in_head &= not any(c.attributes.get("scope") == "rowgroup" for c in cells)
        line: list[str] = []
        waiting = list(reversed(cells))
        while waiting or below.get(len(line), (0, ""))[0]:
            rows, words = below.pop(len(line), (0, ""))
            if rows:
                if rows > 1:
                    below[len(line)] = (rows - 1, words)
                line.append(words)
                continue
            cell = waiting.pop()
            words = text(cell)
            more = int(cell.attributes.get("rowspan") or 1) - 1
            for number in range(int(cell.attributes.get("colspan") or 1)):
                if more:
                    below[len(line)] = (more, words)
                line.append(words if in_head or not number else "")
        (head if in_head else body).append(line)
    return head, body
