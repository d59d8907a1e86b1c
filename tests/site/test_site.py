"""The HTML of the built site."""

import hashlib
import json
import re
from collections import Counter
from importlib import metadata
from importlib.resources import files
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import pytest
from lxml.html import HtmlElement
from mkdocstrings import Inventory
from PIL import Image

import process_terminate
from evidence import examples, history, pages
from evidence.examples import Example
from evidence.paths import DATA, ROOT
from evidence.publish import cards
from evidence.publish.markup.glossary import UNLINKED
from helpers import BASE

PAGES = pages.in_order()
CHANGED = history.changes()
#: The hashes of the theme's templates that we override, by theme and name.
ORIGINALS = json.loads(Path(__file__).with_name("originals.json").read_text("utf-8"))


def test_each_page_of_the_nav_is_built_and_no_other(
    trees: dict[str, HtmlElement],
) -> None:
    assert set(trees) == {BASE + "404.html", *(BASE + p.address for p in PAGES)}


def test_links_lead_to_files_and_anchors_that_exist(
    each_site: Path, trees: dict[str, HtmlElement]
) -> None:
    anchors = {url: set(tree.xpath("//@id")) for url, tree in trees.items()}
    broken = []
    for url, tree in trees.items():
        for link in set(tree.xpath("//@href | //@src")):
            target, name = urldefrag(urljoin(url, link))
            if target.startswith(BASE):
                file = each_site / unquote(target.removeprefix(BASE))
                exists = target in trees or file.is_file()
                if not exists or (name and name not in anchors.get(target, {name})):
                    broken.append((url, link))
    assert broken == []


def test_two_other_pages_link_to_each_page(trees: dict[str, HtmlElement]) -> None:
    """In their text; lists of all pages do not count, such as the nav."""
    sources: dict[str, set[str]] = {url: set() for url in trees}
    for url, tree in trees.items():
        for link in tree.xpath("//article//a/@href"):
            target, _ = urldefrag(urljoin(url, link))
            sources.setdefault(target, set()).add(url)
    urls = [BASE + page.address for page in PAGES]
    few = {url: sources[url] - {url} for url in urls if len(sources[url] - {url}) < 2}
    assert few == {}


def test_names_that_code_imports_from_the_library_link_to_their_pages(
    trees: dict[str, HtmlElement],
) -> None:
    line = re.compile(r"^from process_terminate(?:\.aio)? import (.+)$", re.M)
    unlinked, linked = [], 0
    for url, tree in trees.items():
        codes = tree.xpath("//article//pre[.//span[@class='nn']]")
        lines = [n for code in codes for n in line.findall(code.text_content())]
        path = "//article//pre//a[contains(@href, 'reference/')]"
        links = {link.text for link in tree.xpath(path)}
        linked += len(links)
        unlinked += [(url, n) for n in set(", ".join(lines).split(", ")) - links if n]
    assert unlinked == []
    assert linked > 100


def test_first_use_of_a_word_links_to_the_glossary(
    trees: dict[str, HtmlElement],
) -> None:
    page = BASE + "glossary/"
    terms = {s.text.lower(): s.get("id") for s in trees[page].iterfind(".//dt/span")}
    missing = []
    # The page for wrong URLs has no links of its own to the glossary.
    for url in trees.keys() - {page, f"{BASE}404.html"}:
        tree = trees[url]
        links = Counter(urljoin(url, link) for link in tree.xpath("//article//@href"))
        text = " ".join(tree.xpath("//article//*[self::p or self::li]/text()")).lower()
        for term, anchor in terms.items():
            is_used = anchor not in UNLINKED and f" {term} " in text
            if is_used and not links[f"{page}#{anchor}"]:
                missing.append((url, term))
    assert missing == []


def test_pages_load_nothing_from_other_hosts(trees: dict[str, HtmlElement]) -> None:
    loading = "//@src | //link[not(@rel='canonical')]/@href"
    found = {link for tree in trees.values() for link in tree.xpath(loading)}
    assert [
        link for link in found if urlsplit(urljoin(BASE, link)).netloc not in BASE
    ] == []


def test_scripts_neither_set_cookies_nor_report(each_site: Path) -> None:
    texts = [*each_site.rglob("*.js"), *each_site.rglob("*.html")]
    for word in ("document.cookie", "sendBeacon"):
        assert [path for path in texts if word in path.read_text("utf-8")] == []


@pytest.mark.parametrize(
    "fault",
    [
        # The policy would need an exception.
        "//*[@style] | //style | //@*[starts-with(name(), 'on')]",
        "//*[@role='dialog'][not(@aria-label)]",
        "//@tabindex[. = '']",
        "//label/@for[not(. = //@id)]",
        "//footer/nav[not(.//a)]",
    ],
)
def test_no_page_has(fault: str, trees: dict[str, HtmlElement]) -> None:
    assert [url for url, tree in trees.items() if tree.xpath(fault)] == []


def test_policy_allows_nothing_unsafe(trees: dict[str, HtmlElement]) -> None:
    for url, tree in trees.items():
        (policy,) = tree.head.xpath("meta[contains(@http-equiv, 'Policy')]/@content")
        assert "default-src 'none'; script-src 'self' 'sha256-" in policy, url
        assert "unsafe" not in policy, url


def test_hosts_are_told_to_keep_only_files_with_a_hash(each_site: Path) -> None:
    rules = (each_site / "_headers").read_text("utf-8").split("\n/")[1:]
    kept = {rule.splitlines()[0] for rule in rules if "immutable" in rule}
    assert len(kept) == len(rules) >= 2
    for name in kept:
        assert (each_site / name).is_file()
        assert re.search(r"\.[0-9a-f]{8}\.min\.(css|js)$", name)


def test_each_page_has_its_own_title_description_and_url(
    trees: dict[str, HtmlElement],
) -> None:
    heads = {url: tree.head for url, tree in trees.items()}
    for page in PAGES:
        url = BASE + page.address
        head = heads[url]
        assert head.xpath("link[@rel='canonical']/@href") == [url]
        assert head.xpath("meta[@name='description']/@content") == [page.description]
        assert head.xpath("link[@type='text/markdown']/@href") == ["index.md"]
        # What previews of a link and search engines read.
        (text,) = head.xpath("script[@type='application/ld+json']/text()")
        described = json.loads(text)
        named = {"title": described["headline"], "description": page.description}
        assert (described["url"], described["description"]) == (url, page.description)
        assert described.get("dateModified") == history.last_change(page, CHANGED)
        for name, value in (named | {"url": url}).items():
            assert head.xpath(f"meta[@property='og:{name}']/@content") == [value]
    titles = Counter(head.findtext("title") for head in heads.values())
    assert [title for title, count in titles.items() if count > 1] == []


def test_page_names_the_card_of_its_section(
    each_site: Path, trees: dict[str, HtmlElement]
) -> None:
    named = set()
    for page in PAGES:
        (url,) = trees[BASE + page.address].xpath(
            "//meta[@property='og:image']/@content"
        )
        tab = page.sections[0] if page.sections else str(page.name)
        assert url == f"{BASE}{cards.FOLDER}/{cards.name(tab)}"
        named.add(each_site / url.removeprefix(BASE))
    assert named == set((each_site / cards.FOLDER).iterdir())
    for path in named:
        with Image.open(path) as card:
            assert (card.format, card.size) == ("PNG", cards.SIZE)
            assert len(card.getcolors() or []) > 3  # Text was drawn.
        assert path.stat().st_size < 30_000


def test_page_for_wrong_urls_leads_to_each_section(
    trees: dict[str, HtmlElement],
) -> None:
    found = trees[f"{BASE}404.html"].xpath("//article//li/a/@href")
    assert [link for link in found if not link.startswith("/")] == []
    firsts = {page.sections[:1] or page.path: page.address for page in reversed(PAGES)}
    urls = {urljoin(BASE, link) for link in found}
    assert urls == {BASE + address for address in firsts.values()}


def test_commands_to_run_an_example_name_the_published_file(
    trees: dict[str, HtmlElement],
) -> None:
    for example in examples.find():
        blocks = trees[f"{BASE}examples/{example.name}/"].xpath("//div/pre")
        command = f"uv run {BASE}examples/{example.name}.py\n"
        assert [b.text_content() for b in blocks].count(command) == 1


def test_previous_and_next_stay_within_the_topic(
    trees: dict[str, HtmlElement],
) -> None:
    """The links in the head are those of the keys P and N."""
    for before, page, after in zip(
        [None, *PAGES[:-1]], PAGES, [*PAGES[1:], None], strict=True
    ):
        url = BASE + page.address
        for rel, other in ("prev", before), ("next", after):
            beside = other if other and other.sections == page.sections else None
            wanted = [BASE + beside.address] if beside else []
            for links in (
                f"/html/head/link[@rel='{rel}']/@href",
                f"//footer//a[contains(@class, 'md-footer__link--{rel}')]/@href",
            ):
                found = [urljoin(url, link) for link in trees[url].xpath(links)]
                assert found == wanted, (page.path, rel)


def test_foot_of_a_page_has_its_version_and_dates(
    trees: dict[str, HtmlElement],
) -> None:
    version = metadata.version("process-terminate")
    for page in PAGES:
        shown = trees[BASE + page.address].xpath("//*[@class='page-facts']/li")
        first, *dates = [item.text_content() for item in shown]
        assert first == f"process-terminate {version}"
        if day := history.last_change(page, CHANGED):
            assert dates.pop(0) == f"Last change: {day}", page.path
        if page.example and (day := last_run(page.example)):
            assert dates.pop(0) == f"Last run: {day}", page.path
        assert dates == [], page.path


def last_run(example: Example) -> str | None:
    """Return the day of the last run of an example as it is now."""
    text = (DATA / f"runs/{example.name}.json").read_text("utf-8")
    columns = json.loads(text)["interpreters"].values()
    now = [
        column.get("cells", {}) for column in columns if column["hash"] == example.hash
    ]
    days = (cell["date"] for cells in now for cell in cells.values())
    return max(days, default=None)


def test_inventory_has_exactly_the_exported_names(each_site: Path) -> None:
    with (each_site / "objects.inv").open("rb") as file:
        inventory = Inventory.parse_sphinx(file)
    exported = {f"process_terminate.{name}" for name in process_terminate.__all__}
    exported.add("process_terminate.aio")
    # The private modules that names come from are there too, as aliases.
    public = {".".join(name.split(".")[:2]) for name in inventory if "._" not in name}
    assert public == exported


@pytest.mark.parametrize("theme", ["material", "zensical"])
def test_templates_behind_the_overrides_are_unchanged(theme: str) -> None:
    pytest.importorskip(theme, reason="not installed; run tools/setup.py check")
    templates = files(theme) / "templates"
    for name, digest in ORIGINALS[theme].items():
        original = templates.joinpath(name).read_bytes()
        assert hashlib.sha256(original).hexdigest() == digest, (
            f"{theme} has another {name}: compare it with overrides/{name} (that of "
            "base.html is page.html), change that if it must, and record the new hash"
        )


def test_each_override_has_recorded_originals() -> None:
    folder = ROOT / "overrides"
    overrides = {p.relative_to(folder).as_posix() for p in folder.rglob("*.html")}
    assert overrides - {"page.html"} | {"base.html"} == set(ORIGINALS["material"])
