"""The built site: complete, whole, and of one host."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import pytest
from mkdocstrings import Inventory

import process_terminate
from evidence import examples
from helpers import DOCS


@dataclass
class Page(HTMLParser):
    """What a browser would find on a page: links, ids, and what it loads."""

    text: str
    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    words: str = ""

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note where a tag leads."""
        attributes = dict(attrs)
        if name := attributes.get("id"):
            self.ids.add(name)
        if address := attributes.get("href") or attributes.get("src"):
            loaded = tag != "a" and attributes.get("rel") not in {"canonical", "edit"}
            (self.loads if loaded else self.links).append(address)

    def handle_data(self, data: str) -> None:
        """Note what can be read."""
        self.words += data


@pytest.fixture(scope="session")
def pages(site: Path) -> dict[Path, Page]:
    """Every page of the site, by its file."""
    return {
        path: Page(path.read_text("utf-8"))
        for path in site.rglob("*.html")
        if path.name != "404.html"  # Its links are absolute: it stands anywhere.
    }


def test_each_source_page_is_built(site: Path) -> None:
    """No page of docs/ is missing."""
    for source in DOCS.rglob("*.md"):
        page = source.relative_to(DOCS)
        built = page.parent if page.stem == "index" else page.with_suffix("")
        assert (site / built / "index.html").exists()


def test_links_lead_somewhere(pages: dict[Path, Page]) -> None:
    """Every link within the site leads to a file, and to an id that it has."""
    broken = []
    for path, page in pages.items():
        for link in [*page.links, *page.loads]:
            address, fragment = urldefrag(link)
            if urlsplit(address).scheme:
                continue
            target = (path.parent / unquote(address)).resolve() if address else path
            if target.is_dir():
                target /= "index.html"
            if not target.exists():
                broken.append(f"{path}: {link}")
            elif fragment and target in pages and fragment not in pages[target].ids:
                broken.append(f"{path}: {link} (no such id)")
    assert broken == []


def test_pages_load_nothing_from_other_hosts(pages: dict[Path, Page]) -> None:
    """A reader's browser talks to the host of the site only."""
    foreign = {
        load for page in pages.values() for load in page.loads if urlsplit(load).netloc
    }
    assert foreign == set()


@pytest.mark.parametrize("example", examples.find(), ids=lambda e: e.name)
def test_page_shows_the_code_to_the_letter(
    example: examples.Example, pages: dict[Path, Page], site: Path
) -> None:
    """What a reader copies from the page is the file that the tests run."""
    page = pages[site / "examples" / example.name / "index.html"]
    assert example.source in page.words


@pytest.mark.parametrize("name", ["terminate", "kill"])
def test_reference_page_has_all_that_a_reference_needs(
    name: str, pages: dict[Path, Page], site: Path
) -> None:
    """Name, signature, parameters, return value, errors, caveats, versions."""
    words = pages[site / "reference" / name / "index.html"].words
    signature = rf"{name}\(process: BaseProcess\) -> None"
    assert re.search(signature, words)
    for part in ("Parameters:", "Returns:", "Raises:", "Caveats", "Versions"):
        assert part in words
    for part in ("POSIX", "Windows", "See also", "Example", "Proofs"):
        assert part in words


def test_inventory_has_just_what_is_exported(site: Path) -> None:
    """Other projects can link to each public name, and to nothing private."""
    with (site / "objects.inv").open("rb") as file:
        inventory = Inventory.parse_sphinx(file)
    exported = {f"process_terminate.{name}" for name in process_terminate.__all__}
    # The module that a name comes from is there too, as an alias.
    public = {re.sub(r"\._\w+", "", name) for name in inventory}
    # And the attributes and methods of the classes.
    assert {".".join(name.split(".")[:2]) for name in public} == exported


def test_heads_of_tables_say_what_they_head(pages: dict[Path, Page]) -> None:
    """A column, a row, or a group of them."""
    heads = [tag for page in pages.values() for tag in re.findall("<th[ >]", page.text)]
    scoped = re.compile('<th [^>]*scope="(?:col|row)(?:group)?"')
    assert len(heads) == sum(len(scoped.findall(page.text)) for page in pages.values())


def test_pages_run_nothing_inline_but_what_the_policy_names(
    site: Path, pages: dict[Path, Page]
) -> None:
    """No handlers, no styles; the inline scripts of Material by their hashes."""
    inline = re.compile(r"<[^>]* (?:on[a-z]+|style)=\"")
    assert [path for path, page in pages.items() if inline.search(page.text)] == []
    (policy,) = re.findall(
        "Content-Security-Policy: (.*)", (site / "_headers").read_text()
    )
    assert "unsafe" not in policy
    assert "default-src 'none'; script-src 'self' 'sha256-" in policy


def test_front_page_shows_a_timeline(pages: dict[Path, Page], site: Path) -> None:
    """A recorded run, and the record in numbers."""
    page = pages[site / "index.html"]
    assert page.text.count('role="img" aria-label="Timeline') == 1
    assert "recorded runs" in page.words
