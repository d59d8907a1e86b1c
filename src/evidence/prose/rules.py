"""Find what breaks a rule of the prose, and count what the rules ask for."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from evidence import template
from evidence.pages import Page, in_order, plain
from evidence.paths import DOCS, EXAMPLES, ROOT
from evidence.prose.text import Block, Link, blocks
from evidence.prose.words import COUNTED, EMPTY_LINKS, FORBIDDEN

#: A sentence has at most so many words.
LONGEST = 40
#: Half of all sentences have at most so many words.
MEDIAN = 20
MEDIAN_SENTENCE = "median sentence"


@dataclass(frozen=True, order=True)
class Finding:
    """A place that breaks a rule, and what to write instead."""

    path: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


def files() -> dict[str, list[Path]]:
    """Return all files with prose, by their kind."""
    kinds: dict[str, list[Path]] = {"front": []}
    for path in sorted(DOCS.rglob("*.md")):
        folder = path.relative_to(DOCS).parts[0] if path.parent != DOCS else "front"
        kinds.setdefault(folder, []).append(path)
    names = "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"
    kinds["repository"] = [ROOT / name for name in names]
    kinds["docstrings"] = sorted((ROOT / "src" / "process_terminate").rglob("*.py"))
    kinds["docstrings of examples"] = sorted(EXAMPLES.rglob("*.py"))
    return kinds


def under(paths: Iterable[Path]) -> list[Path]:
    """Return the files with prose among some files and folders."""
    everything = [path for group in files().values() for path in group]
    chosen = [path.resolve() for path in paths]
    return [p for p in everything if any(p.is_relative_to(root) for root in chosen)]


def findings(path: Path) -> list[Finding]:
    """Return what breaks a rule in one file."""
    name = path.relative_to(ROOT).as_posix()
    found = [
        Finding(name, line, what)
        for block in blocks(path)
        for line, what in [*_words(block), *_links(block, path), *_lengths(block)]
    ]
    return sorted(found)


def _words(block: Block) -> Iterator[tuple[int, str]]:
    for pattern, instead in FORBIDDEN:
        for match in pattern.finditer(" ".join(block.text.split("\n"))):
            word = " ".join(match.group().split())
            yield block.line_of(match.start()), f"{word} -> {instead}"


def _links(block: Block, path: Path) -> Iterator[tuple[int, str]]:
    for link in block.links:
        if link.text.lower().strip(" .") in EMPTY_LINKS:
            yield link.line, f"link called {link.text!r} -> say where it goes"
        title = _title(link, path)
        if link.section == "See also" and title not in (None, link.text):
            yield link.line, f"link called {link.text!r} -> its page's title, {title!r}"


def _title(link: Link, path: Path) -> str | None:
    """Return the title of the page that a link leads to; None if it is no page."""
    target = (path.parent / link.target).resolve()
    # With an anchor it leads to a part of a page, which has no title.
    if target.suffix == ".md" and target.is_relative_to(DOCS) and target.exists():
        return Page(target.relative_to(DOCS).as_posix()).title
    return None


def _lengths(block: Block) -> Iterator[tuple[int, str]]:
    if block.kind != "paragraph":
        return
    for line, sentence in block.sentences():
        if (count := len(sentence.split())) > LONGEST:
            yield line, f"sentence of {count} words -> {LONGEST} at most"


def other_titles() -> list[Finding]:
    """Return the names in the nav, and the headings, that are not the page's title."""
    found = []
    for page in in_order():
        if page.name not in (None, "Home", page.title):
            what = f"{page.name} -> {page.title}, the title of {page.path}"
            found.append(Finding("mkdocs.yml", 1, what))
        if (heading := plain(page.heading)) != page.title:
            what = f"heading {heading} -> {page.title}, as in the front matter"
            found.append(Finding(f"docs/{page.path}", 1, what))
    return found


def numbers(paths: Iterable[Path]) -> dict[str, float]:
    """Count in the paragraphs of files; return nothing if there are none."""
    found = [b for path in paths for b in blocks(path) if b.kind == "paragraph"]
    text = "\n".join(block.text for block in found)
    lengths = [len(s.split()) for block in found for _, s in block.sentences()]
    if not lengths:
        return {}
    words = sum(lengths)
    counts = {
        name: round(1000 * len(pattern.findall(text)) / words, 1)
        for name, pattern in COUNTED.items()
    }
    last = {MEDIAN_SENTENCE: median(lengths), "longest": max(lengths)}
    return {"words": words, **counts, **last}


def table(kinds: dict[str, list[Path]]) -> str:
    """Return a table of Markdown with a row for each kind of page."""
    counted = {kind: numbers(paths) for kind, paths in kinds.items()}
    heads = next(filter(None, counted.values()), {})
    rows = [[kind, *map(str, found.values())] for kind, found in counted.items()]
    return template.table(["", *heads], [row for row in rows if row[1:]])
