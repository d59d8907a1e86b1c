"""The HTML of the built site."""

import hashlib
import json
from collections import Counter
from importlib import metadata
from importlib.resources import files
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import pytest
from lxml import html
from lxml.html import HtmlElement
from mkdocstrings import Inventory

import process_terminate
from evidence import history, pages
from evidence.paths import ROOT
from evidence.publish.markup import foot
from evidence.publish.markup.glossary import UNLINKED
from helpers import BASE

PAGES = pages.in_order()


@pytest.fixture(scope="module")
def trees(each_site: Path) -> dict[str, HtmlElement]:
    """Each page by its URL."""
    return {
        url_of(path, each_site): html.document_fromstring(path.read_text("utf-8"))
        for path in each_site.rglob("*.html")
    }


def url_of(path: Path, site: Path) -> str:
    """Return the URL of a file in the site."""
    return urljoin(BASE, path.relative_to(site).as_posix().removesuffix("index.html"))


def links(tree: HtmlElement, url: str) -> set[str]:
    """Return the URLs that a page leads to or loads."""
    found = tree.xpath("//@href | //@src")
    return {urljoin(url, link) for link in found}


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
        for link in links(tree, url):
            target, name = urldefrag(link)
            if not target.startswith(BASE):
                continue
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


def test_first_use_of_a_word_links_to_the_glossary(
    trees: dict[str, HtmlElement],
) -> None:
    page = BASE + "glossary/"
    terms = {s.text.lower(): s.get("id") for s in trees[page].iterfind(".//dt/span")}
    missing = []
    # The page for wrong URLs has no links of its own to the glossary.
    for url, tree in (trees | {f"{BASE}404.html": html.Element("html")}).items():
        links = Counter(urljoin(url, link) for link in tree.xpath("//article//@href"))
        text = " ".join(tree.xpath("//article//*[self::p or self::li]/text()")).lower()
        for term, anchor in terms.items():
            is_used = anchor not in UNLINKED and f" {term} " in text
            if url != page and is_used and not links[f"{page}#{anchor}"]:
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


def test_pages_need_no_exception_from_the_policy(
    trees: dict[str, HtmlElement],
) -> None:
    inline = "//*[@style] | //style | //@*[starts-with(name(), 'on')]"
    assert [url for url, tree in trees.items() if tree.xpath(inline)] == []
    for url, tree in trees.items():
        (policy,) = tree.head.xpath("meta[contains(@http-equiv, 'Policy')]/@content")
        assert "default-src 'none'; script-src 'self' 'sha256-" in policy, url
        assert "unsafe" not in policy, url


def test_each_page_has_its_own_title_description_and_url(
    trees: dict[str, HtmlElement],
) -> None:
    heads = {url: tree.head for url, tree in trees.items()}
    for page in PAGES:
        head = heads[BASE + page.address]
        assert head.xpath("link[@rel='canonical']/@href") == [BASE + page.address]
        assert head.xpath("meta[@name='description']/@content") == [page.description]
        assert head.xpath("link[@type='text/markdown']/@href") == ["index.md"]
    for what in "title/text()", "meta[@name='description']/@content":
        counts = Counter(found for head in heads.values() for found in head.xpath(what))
        repeated = {text for text, count in counts.items() if count > 1}
        # The page for wrong URLs has the description of the site.
        assert repeated == set(), what


def test_each_dialog_has_a_name(trees: dict[str, HtmlElement]) -> None:
    unnamed = "//*[@role='dialog'][not(@aria-label)]"
    assert [url for url, tree in trees.items() if tree.xpath(unnamed)] == []


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
        assert trees[url].xpath("//footer/nav[not(.//a)]") == []


def test_foot_of_a_page_has_its_version_and_dates(
    trees: dict[str, HtmlElement],
) -> None:
    changed = history.changes()
    for page in PAGES:
        shown = trees[BASE + page.address].xpath("//*[@class='page-facts']/li")
        texts = [item.text_content() for item in shown]
        assert texts == foot.facts(page, changed)
        assert f"process-terminate {metadata.version('process-terminate')}" in texts


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
    recorded = json.loads(Path(__file__).with_name("originals.json").read_text("utf-8"))
    templates = files(theme) / "templates"
    for name, digest in recorded[theme].items():
        original = templates.joinpath(name).read_bytes()
        assert hashlib.sha256(original).hexdigest() == digest, (
            f"{theme} has another {name}: compare it with overrides/{name}, "
            "change that if it must, and record the new hash"
        )


def test_each_override_has_recorded_originals() -> None:
    recorded = json.loads(Path(__file__).with_name("originals.json").read_text("utf-8"))
    overrides = {
        path.relative_to(ROOT / "overrides").as_posix()
        for path in (ROOT / "overrides").rglob("*.html")
    }
    assert overrides - {"page.html"} == set(recorded["material"])
