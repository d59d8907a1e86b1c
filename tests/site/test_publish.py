"""What the built site has for programs and hosts."""

import json
import re
import shutil
from pathlib import Path
from urllib.parse import urldefrag, urljoin, urlsplit
from xml.etree import ElementTree

import jsonschema
import pytest
from lxml import html
from markdown_it import MarkdownIt

from evidence import UserError, examples, history, pages
from evidence.examples import Example
from evidence.measure import runs
from evidence.measure.run import run_file
from evidence.paths import DATA, DOCS, EXAMPLES, ROOT
from evidence.publish import assets, markup, redirects
from evidence.publish.formats import feed, sitemap
from evidence.publish.formats.markdown import from_html
from evidence.publish.markup import glossary
from helpers import BASE

PAGES = pages.in_order()
PARSER = MarkdownIt()


def text_of(site: Path, address: str) -> str:
    """Return the Markdown of a page."""
    return (site / address / "index.md").read_text("utf-8")


def links(text: str) -> list[str]:
    """Return the URLs that Markdown leads to."""
    parts = [part for block in PARSER.parse(text) for part in block.children or ()]
    return [str(part.attrGet("href")) for part in parts if part.type == "link_open"]


def test_both_builders_give_the_same_markdown(site: Path, zensical_site: Path) -> None:
    for page in PAGES:
        assert text_of(zensical_site, page.address) == text_of(site, page.address)


def test_markdown_says_what_page_it_is(site: Path) -> None:
    for page in PAGES:
        head = pages.front_matter(
            title=page.title, description=page.description, url=BASE + page.address
        )
        assert text_of(site, page.address).startswith(head + "\n# ")


def test_links_of_the_markdown_lead_to_files_and_anchors(
    site: Path, anchors: set[str]
) -> None:
    broken = [
        (page.path, link)
        for page in PAGES
        for link in links(text_of(site, page.address))
        if not urlsplit(link).scheme
        or (urldefrag(link).fragment and link.startswith(BASE) and link not in anchors)
        or (link.startswith(BASE) and not in_site(site, link).exists())
    ]
    assert broken == []


def in_site(site: Path, url: str) -> Path:
    """Return the file of a URL."""
    return site / urldefrag(url).url.removeprefix(BASE)


def test_markdown_of_an_example_has_code_events_and_results(site: Path) -> None:
    for example in examples.find():
        text = text_of(site, f"examples/{example.name}/")
        assert (
            f'```python title="examples/{example.name}.py"\n{example.source}```' in text
        )
        results, events = text.split("\n## Tested on\n")[1].split("\n## Timeline\n")
        assert "\n1. 0 ms: main" in events or "was not traced" in events, example.name
        assert "\n| Python | " in results
        assert any(
            f"| {cell} " in results for cell in ("passed", "differed", "earlier")
        )


def test_markdown_of_a_reference_page_has_the_docstring(site: Path) -> None:
    text = text_of(site, "reference/stop/")
    assert (
        "\n```python\nstop(\n    process: AnyProcess,\n    *,\n    grace: float" in text
    )
    for part in ("**Parameters:**", "**Returns:**", "**Raises:**", "**Caveats**"):
        assert f"\n{part}\n" in text
    assert "\n- **`grace`** (`float`, default: `5.0` )" in text
    assert f"]({BASE}examples/children/orphaned_child/index.md)" in text
    assert "\n## `shell_code` `property`\n" in text_of(site, "reference/ExitStatus/")


def test_elements_of_a_page_become_markdown() -> None:
    """Two rows of names become one; what only a browser can use is left out."""
    page = """<article><h1>Title<a class="headerlink" href="#t">¶</a></h1>
<div class="language-sh highlight"><span class="filename">run</span>
<pre><code><span>a</span> &amp;&amp; b</code><button>Copy</button></pre></div>
<details><summary>Times</summary><svg><text>1</text></svg>
<ol><li><svg><text>1</text></svg><span>one</span></li></ol></details>
<table><thead><tr><th rowspan="2">Method</th><th colspan="2">CPython</th></tr>
<tr><th>3.9</th><th><a href="../x/">3.10</a></th></tr></thead><tbody>
<tr><th colspan="3">all</th></tr><tr><th>fork</th><td>4</td><td>a | b</td></tr>
</tbody></table></article>"""
    found = from_html(page, f"{BASE}y/", frozenset({f"{BASE}x/"}))
    assert found == (
        '# Title\n\n```sh title="run"\na && b\n```\n\n**Times**\n\n1. one\n\n'
        f"| Method | CPython 3.9 | CPython [3.10]({BASE}x/index.md) |\n"
        "| --- | --- | --- |\n| all | | |\n| fork | 4 | a \\| b |\n"
    )


def test_word_is_linked_once_and_only_in_text() -> None:
    before = (
        "<article><h1>Zombie</h1><pre>zombie</pre><p>A <code>zombie.pid</code> &amp;\n"
        "<em>two zombies or orphans</em>, a zombie process</p></article>"
    )
    after = before.replace(
        "zombies or orphans",
        '<a href="../words/#zombie">zombies</a> or <a href="../words/#o">orphans</a>',
    ).replace("zombie process", '<a href="../words/#z-p">zombie process</a>')
    page = html.document_fromstring(f"<p>Zombie</p>{before}")
    for _ in range(2):  # What is finished stays as it is.
        terms = {"zombie": "zombie", "zombie process": "z-p", "orphan": "o"}
        glossary.link(page, terms, "../words/")
        text = html.tostring(page.body, encoding="unicode")
        assert text == f"<body><p>Zombie</p>{after}</body>"


def test_finishing_a_page_again_changes_nothing(
    each_site: Path, tmp_path: Path
) -> None:
    names = [
        f"{name}/index.html" for name in (".", "glossary", "guides/pools", "decoder")
    ]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(each_site / name, tmp_path / name)
    markup.write(tmp_path, history.changes())
    for name in names:
        assert (tmp_path / name).read_bytes() == (each_site / name).read_bytes(), name


def test_llms_txt_lists_each_page_once_by_section(site: Path) -> None:
    text = (site / "llms.txt").read_text("utf-8")
    assert text.startswith("# process-terminate\n\n> ")
    items = [line for line in text.splitlines() if line.startswith("- ")]
    targets = [target for item in items for target in links(item)]
    of_pages = sorted(f"{BASE}{page.address}index.md" for page in PAGES)
    assert sorted(t for t in targets if t.endswith(".md")) == of_pages
    assert [t for t in targets if not in_site(site, t).exists()] == []
    assert all(len(item.partition("): ")[2]) >= 10 for item in items)


def test_llms_full_txt_has_all_pages_in_order(site: Path) -> None:
    text = (site / "llms-full.txt").read_text("utf-8")
    assert text == "\n".join(text_of(site, page.address) for page in PAGES)


def test_example_is_published_with_the_url_of_the_library_and_runs_alone(
    site: Path,
) -> None:
    (wheel,) = (site / "dist").glob("*.whl")
    by_url = f'"process-terminate @ {BASE}dist/{wheel.name}"'
    for example in examples.find():
        published = (site / "examples" / f"{example.name}.py").read_text("utf-8")
        assert published.replace(by_url, '"process-terminate"') == example.source
        assert (by_url in published) == ("process-terminate" in example.packages)
    name = "stop/terminate_a_worker.py"
    ran = run_file(site / "examples" / name)
    assert ran.output == Example(EXAMPLES / name).output


def test_data_is_published_unchanged_with_schemas_that_it_follows(site: Path) -> None:
    for path in DATA.rglob("*.json"):
        copy = site / "data" / path.relative_to(DATA)
        assert copy.read_bytes() == path.read_bytes()
    listed = (site / "llms.txt").read_text("utf-8")
    for path in DATA.glob("studies/*.json"):
        assert f"data/studies/{path.stem}.json" in listed
        assert f"data/studies/{path.stem}.schema.json" in listed
    for schema in (site / "data").rglob("*.schema.json"):
        name = schema.relative_to(site / "data").as_posix()[: -len(".schema.json")]
        files = list(DATA.glob(f"{name}.json")) or list(DATA.glob(f"{name}/*/*.json"))
        assert files, f"no data for {name}"
        check = jsonschema.Draft202012Validator(json.loads(schema.read_text("utf-8")))
        for file in files[:5]:
            check.validate(json.loads(file.read_text("utf-8")))


def test_robots_txt_names_the_sitemap(site: Path) -> None:
    lines = (site / "robots.txt").read_text("utf-8").splitlines()
    assert f"Sitemap: {BASE}sitemap.xml" in lines


def test_sitemap_has_each_page_with_its_last_change(site: Path, tmp_path: Path) -> None:
    assert sitemap_of(site / "sitemap.xml")[0] == [BASE + p.address for p in PAGES]
    changes = {"docs/examples/children/check_a_zombie.md": "2026-01-01"}
    changes["examples/children/check_a_zombie.py"] = "2026-01-02"
    sitemap.write(tmp_path, BASE, changes)
    assert sitemap_of(tmp_path / "sitemap.xml")[1] == ["2026-01-02"]


def sitemap_of(path: Path) -> tuple[list[str | None], list[str | None]]:
    """Return the URLs and the dates in a sitemap."""
    root = ElementTree.parse(path).getroot()  # noqa: S314  # It is our own.
    urls, dates = (root.iterfind(f".//{{*}}{name}") for name in ("loc", "lastmod"))
    return [url.text for url in urls], [date.text for date in dates]


def test_feed_has_each_version_and_leads_to_its_changes(
    site: Path, anchors: set[str]
) -> None:
    feed_of_site = ElementTree.parse(site / "feed.xml").getroot()  # noqa: S314
    atom = "{http://www.w3.org/2005/Atom}"
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    versions = re.findall(r"(?m)^## \[(.*?)\]", text)
    titles = feed_of_site.findall(f"{atom}entry/{atom}title")
    assert [title.text for title in titles] == [
        f"process-terminate: {version}" for version in versions
    ]
    for entry in feed_of_site.iter(f"{atom}entry"):
        (link,) = entry.iter(f"{atom}link")
        assert link.get("href") in anchors
        assert entry.findtext(f"{atom}id") == link.get("href")
    home = html.document_fromstring((site / "guides" / "index.html").read_text())
    (found,) = home.xpath("//link[@type='application/atom+xml']/@href")
    assert in_site(site, urljoin(f"{BASE}guides/", found)) == site / "feed.xml"


def test_entry_of_the_feed_has_a_day_and_absolute_links(tmp_path: Path) -> None:
    text = "# All\n\n## [Unreleased]\n\n- a\n\n## [0.1.0] - 2026-12-01\n\n[b](../x/)\n"
    known = {"CHANGELOG.md": "2027-01-02"}
    for changed, newest in (known, "2027-01-02"), ({}, runs.last_day()):
        feed.write(tmp_path, BASE, text, changed)
        root = ElementTree.parse(tmp_path / "feed.xml").getroot()  # noqa: S314
        days = [str(day.text) for day in root.iterfind(".//{*}updated")]
        entries = [f"{newest}T00:00:00Z", "2026-12-01T00:00:00Z"]
        assert days == [max(entries), *entries]
        last = [str(content.text) for content in root.iterfind(".//{*}content")][-1]
        assert f'href="{BASE}contributing/x/"' in last
        links = [link.get("href") for link in root.iterfind(".//{*}entry/{*}link")]
        assert links[1] == f"{BASE}contributing/changelog/#010-2026-12-01"


@pytest.fixture
def moved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The list of redirects, to be written by the test."""
    path = tmp_path / "redirects.txt"
    monkeypatch.setattr(redirects, "PATH", path)
    return path


def test_old_url_leads_to_the_new_page(moved: Path, tmp_path: Path) -> None:
    moved.write_text("# A comment.\nold/page/ decoder/#table\n")
    redirects.write(tmp_path, BASE)
    page = html.document_fromstring((tmp_path / "old/page/index.html").read_text())
    target = "../../decoder/#table"
    assert page.xpath("//meta/@content")[-1] == f"0; url={target}"
    assert page.xpath("//a/@href") == [target]
    assert page.xpath("//link/@href") == [f"{BASE}decoder/#table"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("old/ gone/", "old/ leads to gone/, which is no page"),
        ("decoder/ errors/", "decoder/ is a page; remove its redirect"),
        ("old/", "expected an old and a new URL, got 'old/'"),
    ],
)
def test_redirect_that_cannot_work_is_an_error(
    line: str, reason: str, moved: Path, tmp_path: Path
) -> None:
    moved.write_text(line)
    with pytest.raises(UserError, match=reason):
        redirects.write(tmp_path, BASE)


def test_names_of_the_themes_files_are_recorded_for_later_deploys(site: Path) -> None:
    missing = assets.current(site) - set(assets.NAMES.read_text("utf-8").split())
    assert missing == set(), "add these names to docs/theme_files.txt, and remove none"


def test_own_styles_and_scripts_are_published_without_comments(
    each_site: Path,
) -> None:
    for path in (DOCS / "assets").glob("*.[cj]s*"):
        text = (each_site / "assets" / path.name).read_text("utf-8")
        assert "/*" not in text
        assert re.search(r"(?m)^\s*//", text) is None
        assert len(text) > len(path.read_text("utf-8")) / 2
