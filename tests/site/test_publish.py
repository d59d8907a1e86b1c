"""What the built site has for programs, and for readers without a server."""

import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit
from xml.etree import ElementTree
from zipfile import ZipFile

import pytest
from playwright.sync_api import Browser

from evidence import examples, pages
from evidence.examples import Example
from evidence.measure.run import run_file
from evidence.pages import LONGEST, SHORTEST, Page
from evidence.publish import addresses, offline
from evidence.publish import finish as publish
from evidence.publish.html import from_html
from evidence.publish.markdown import Writer
from helpers import BASE, DOCS

PAGES = pages.in_order()

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
each_example = pytest.mark.parametrize("example", examples.find(), ids=lambda e: e.name)


def one(pattern: str, text: str) -> str:
    """What is there just once."""
    found = re.findall(pattern, text)
    assert len(found) == 1, (pattern, found)
    return str(found[0])


def prose(markdown: str) -> str:
    """The Markdown without its code."""
    text = re.sub(r"(?ms)^ *```.*?^ *```$", "", markdown)
    return re.sub(r"`[^`\n]+`", "", text)


def links(markdown: str) -> Iterator[str]:
    """The addresses of the links."""
    yield from re.findall(r"\]\(([^)\s]+)", prose(markdown))


def in_site(site: Path, address: str) -> Path:
    """The file of an address."""
    path = site / unquote(urldefrag(address).url.removeprefix(BASE))
    return path / "index.html" if path.is_dir() else path


def test_default_address_is_where_the_site_is_served() -> None:
    """The lines that run an example say so before the site has another address."""
    text = (DOCS.parent / "mkdocs.yml").read_text("utf-8")
    assert f'site_url: !ENV [SITE_URL, "{pages.HERE}"]\n' in text


@each_page
def test_page_has_its_own_description(page: Page) -> None:
    """Between 50 and 160 characters, which search engines show whole."""
    mend = f"write one into the front matter of docs/{page.path}; " + (
        "it is too long or too short"
        if page.description
        else "python -m evidence render takes the first sentences"
    )
    assert SHORTEST <= len(page.description) <= LONGEST, mend
    assert '"' not in page.description, "it would end the attribute that it stands in"
    same = [other.path for other in PAGES if other.description == page.description]
    assert same == [page.path]


@each_page
def test_page_names_itself(page: Page, site: Path) -> None:
    """Its address, its title, its description, and where its Markdown is."""
    html = head(site, page)
    assert one(r'<link rel="canonical" href="(.*?)">', html) == BASE + page.address
    description = one(r'<meta name="description" content="(.*?)">', html)
    assert unescaped(description) == page.description
    assert page.title in unescaped(one(r"<title>(.*?)</title>", html))
    alternate = one(r'<link rel="alternate " type="text/markdown" href="(.*?)">', html)
    assert (site / page.address / alternate).exists()


def head(site: Path, page: Page) -> str:
    """The part of a built page that is not shown."""
    html = (site / page.address / "index.html").read_text("utf-8")
    return html.partition("</head>")[0]


def unescaped(html: str) -> str:
    """The words of a piece of HTML."""
    return from_html(html, str)


def test_titles_differ(site: Path) -> None:
    """No two pages look the same in a list of results."""
    titles = [one(r"<title>(.*?)</title>", head(site, page)) for page in PAGES]
    assert len(set(titles)) == len(titles)


def test_site_sets_no_cookie(site: Path) -> None:
    """None of its scripts knows how to, nor how to count its readers."""
    scripts = [*site.rglob("*.js"), *site.rglob("*.html")]
    found = [
        path
        for path in scripts
        if re.search(r"document\.cookie|sendBeacon", path.read_text("utf-8"))
    ]
    assert found == []


@each_page
def test_page_is_there_as_markdown(page: Page, site: Path) -> None:
    """Plain, whole, and with links that lead somewhere."""
    text = (site / page.address / "index.md").read_text("utf-8")
    assert text.startswith(f'---\ntitle: "{page.title}"\n')
    assert f'url: "{BASE}{page.address}"\n' in text
    for mark in ("--8<--", "\n:::", "!!!", "???", "<table", "<svg", "<p", "<details"):
        assert mark not in prose(text)
    broken = [
        link
        for link in links(text)
        if not urlsplit(link).scheme
        or (link.startswith(BASE) and not in_site(site, link).exists())
    ]
    assert broken == []


@each_example
def test_markdown_has_the_proof(example: Example, site: Path) -> None:
    """The example to the letter, its events in words, and where it holds."""
    path = site / "examples" / example.name / "index.md"
    text = path.read_text("utf-8")
    assert f"\n{example.source}```\n" in text
    events, holds = text.split("\n## Timeline\n")[1].split("\n## Where it holds\n")
    assert re.search(r"(?m)^1\. [\d.]+ ms: main ", events) or "was traced" in events
    assert re.search(r"(?m)^\| Start method \| CPython \[\d", holds)
    assert re.search(r"(?m)^\| (its own|fork) \| \w", holds)


def test_markdown_of_a_reference_page_has_the_docstring(site: Path) -> None:
    """The signature, and every section."""
    text = (site / "reference/stop/index.md").read_text("utf-8")
    assert "\nstop(process: AnyProcess, *, grace: float = 5.0) -> ExitStatus\n" in text
    parts = ("**Parameters:**", "**Returns:**", "**Raises:**", "**Caveats**")
    assert [part for part in parts if part not in text] == []
    assert "- `grace` (`float`, default `5.0`): Seconds between" in text
    proof = f"{BASE}examples/family/leave_an_orphan/index.md"
    assert f"- It does not end the children of the process.\n  [Proof]({proof})" in text
    members = (site / "reference/ExitStatus/index.md").read_text("utf-8")
    assert "\n## `shell_code`\n\n```python\nshell_code: int | None\n```\n" in members


def test_list_for_language_models_has_each_page_once(site: Path) -> None:
    """In the form of llmstxt.org: a title, a summary, and sections of links."""
    lines = (site / "llms.txt").read_text("utf-8").splitlines()
    assert lines[0] == "# process-terminate"
    assert lines[2].startswith("> ")
    items = [line for line in lines if line.startswith("- ")]
    found = [re.fullmatch(r"- \[.+?\]\((\S+)\): .{10,}", item) for item in items]
    assert None not in found
    targets = [match[1] for match in found if match]
    of_pages = [f"{BASE}{page.address}index.md" for page in PAGES]
    assert sorted(t for t in targets if t.endswith(".md")) == sorted(of_pages)
    assert [t for t in targets if not in_site(site, t).exists()] == []
    assert f"{BASE}evidence/runs.schema.json" in targets
    assert [line for line in lines if line.startswith("## ")][-1] == "## Data"


def test_all_pages_are_there_in_one_file(site: Path) -> None:
    """In the order of the navigation."""
    text = (site / "llms-full.txt").read_text("utf-8")
    order = [text.index(f'url: "{BASE}{page.address}"\n') for page in PAGES]
    assert order == sorted(order)
    assert text.count("\nurl: ") == len(PAGES)


@each_example
def test_example_can_be_downloaded_to_the_letter(example: Example, site: Path) -> None:
    """From where its page says; the address that uv gets is the same file."""
    html = (site / "examples" / example.name / "index.html").read_text("utf-8")
    line = one(r'(?s)<p class="run">.*?</p>', html)
    link = one(r'href="(.*?)"', line)
    path = (site / "examples" / example.name / link).resolve()
    assert path.read_bytes() == example.path.read_bytes()
    for command in re.findall(r"<code>uv run (.*?)</code>", line):
        assert in_site(site, command) == path
    assert pages.HERE not in line


def test_downloaded_example_runs(site: Path) -> None:
    """Away from the project."""
    path = site / "examples/terminate/terminate_a_worker.py"
    run = run_file(path)
    assert (run.status, run.errors, run.leftovers) == (0, "", [])
    assert run.output == Example(path).output


@each_example
def test_page_says_how_to_run_its_example(example: Example) -> None:
    """Below the code, by a line that is written for it."""
    mend = "python -m evidence render"
    path = pages.run_line_path(example)
    assert path.exists(), mend
    assert path.read_text("utf-8") == pages.run_line(example), mend
    page = (DOCS / "examples" / f"{example.name}.md").read_text("utf-8")
    snippet = f'--8<-- "docs/evidence/fragments/run/{example.name}.html"'
    assert f'--8<-- "examples/{example.name}.py"\n```\n\n{snippet}\n' in page, mend


def test_line_to_run_says_what_is_needed() -> None:
    """A package or a Python that uv brings; this library is in a clone."""
    lines = {e.name: pages.run_line(e) for e in examples.find()}
    assert "It needs psutil, which uv brings." in lines["family/ask_a_zombie"]
    newer = "It needs Python 3.14 or newer, which uv brings."
    assert newer in lines["terminate/interrupt_a_worker"]
    assert "uv run" not in lines["terminate/stop_a_worker"]
    assert ".venv/bin/python examples/" in lines["terminate/stop_a_worker"]


def test_sitemap_has_just_the_pages(site: Path) -> None:
    """Without the date of the build, which says nothing of a page."""
    text = (site / "sitemap.xml").read_bytes()
    found = [
        node.text
        for node in ElementTree.fromstring(text).iter()  # noqa: S314, our own
        if node.tag.endswith("}loc")
    ]
    assert sorted(map(str, found)) == sorted(BASE + page.address for page in PAGES)
    assert b"lastmod" not in text
    assert gzip.decompress((site / "sitemap.xml.gz").read_bytes()) == text


def test_wrong_address_leads_on(site: Path) -> None:
    """The page for it links to where one may have wanted to go, from the root."""
    html = (site / "404.html").read_text("utf-8")
    article = one(r"(?s)<article.*?</article>", html)
    found = re.findall(r'href="(.*?)"', article)
    assert len(found) > 5
    assert [link for link in found if not link.startswith("/")] == []
    files = [site / link.removeprefix("/") / "index.html" for link in found]
    assert [path for path in files if not path.exists()] == []


def test_wrong_address_leads_on_below_a_path() -> None:
    """Where the site is not at the root of its host."""
    found = re.findall(r'href="(.*?)"', publish.not_found("/a/path/"))
    assert "/a/path/" in found
    assert [link for link in found if not link.startswith("/a/path/")] == []


def test_addresses_are_recorded(site: Path) -> None:
    """One that is gone leads on, and a new one is written down."""
    now = addresses.of(site)
    assert addresses.lost(now) == set(), "say in docs/redirects.txt where it leads"
    assert now - addresses.recorded() == set(), "python -m evidence addresses"


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A site of one page with one heading, and no record of it."""
    monkeypatch.setattr(addresses, "RECORD", tmp_path / "addresses.txt")
    monkeypatch.setattr(addresses, "REDIRECTS", tmp_path / "redirects.txt")
    monkeypatch.setattr(addresses, "ROOT", tmp_path)
    addresses.REDIRECTS.write_text("# A comment.\n")
    page = tmp_path / "site/new/page/index.html"
    page.parent.mkdir(parents=True)
    page.write_text('<b id="__x"></b><article><h2 id="now">Now</h2></article>')
    return tmp_path / "site"


def test_record_keeps_what_leads_on(small: Path) -> None:
    """A lost address is not forgotten by recording again."""
    addresses.write(small)
    assert addresses.recorded() == {"new/page/", "new/page/#now"}
    addresses.RECORD.write_text("old/\nold/#then\n")
    with pytest.raises(addresses.AddressError, match=r"gone: old/, old/#then; say in"):
        addresses.write(small)
    addresses.REDIRECTS.write_text("old/ new/page/\n")
    addresses.write(small)
    assert addresses.recorded() == {"new/page/", "new/page/#now", "old/", "old/#then"}


def test_moved_page_leads_to_the_new_one(small: Path) -> None:
    """Without a script; it is not a page of its own."""
    before = addresses.of(small)
    addresses.REDIRECTS.write_text("old/page/ new/page/#now\n")
    addresses.redirect(small, BASE)
    html = (small / "old/page/index.html").read_text()
    target = one(r'content="0; url=(.*?)"', html)
    assert target == "../../new/page/#now"
    assert one(r'<a href="(.*?)"', html) == target
    assert one(r'rel="canonical" href="(.*?)"', html) == f"{BASE}new/page/#now"
    assert addresses.of(small) == before


def test_moved_id_is_found_again(small: Path) -> None:
    """The heading has its old id, too."""
    addresses.REDIRECTS.write_text("new/page/#then new/page/#now\n")
    addresses.redirect(small, BASE)
    html = (small / "new/page/index.html").read_text()
    assert '<span id="then"></span><h2 id="now">' in html


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("old/ gone/", "old/ leads to gone/, which is no page"),
        ("new/page/ new/page/#now", "new/page/ is a page, and cannot lead to"),
        ("new/page/#then new/page/#gone", "which is no id of this page"),
        ("new/page/#then other/#now", "an id of its own page only"),
    ],
)
def test_redirect_to_nowhere_fails(line: str, reason: str, small: Path) -> None:
    """And says which one."""
    addresses.REDIRECTS.write_text(f"{line}\n")
    with pytest.raises(addresses.AddressError, match=reason):
        addresses.redirect(small, BASE)


def test_site_is_finished_once(site: Path) -> None:
    """It says so, before it changes anything."""
    with pytest.raises(publish.FinishedError, match="is finished already"):
        publish.finish(site, BASE)


def test_page_without_a_heading_for_wrong_addresses_fails(tmp_path: Path) -> None:
    """A new Material may name it otherwise."""
    (tmp_path / "404.html").write_text("<h1>Sorry</h1>")
    with pytest.raises(ValueError, match="has not the heading"):
        publish.write_not_found(tmp_path, BASE)


def test_table_in_html_becomes_one_of_markdown() -> None:
    """With a name for each column, however many rows its head has."""
    html = (
        '<table><caption>Runs</caption><tr><th rowspan="2">Method</th>'
        '<th colspan="2">CPython</th></tr><tr><th>3.9</th><th><a href="x">3.10</a>'
        '</th></tr><tr><th scope="rowgroup" colspan="3">all</th></tr>'
        "<tr><th>fork</th><td>held <i>4</i></td><td>a | b</td></tr></table>"
    )
    assert from_html(html, lambda href: f"/{href}") == (
        "Runs\n\n"
        "| Method | CPython 3.9 | CPython [3.10](/x) |\n"
        "| --- | --- | --- |\n"
        "| all |  |  |\n"
        "| fork | held *4* | a \\| b |"
    )


def test_details_in_html_become_text() -> None:
    """Pictures and inner headings of them fall away; output stays as it was."""
    html = (
        "<details><summary>Under fork</summary><svg><text>1</text></svg>"
        "<details><summary>In words</summary><ol><li>one</li><li>two</li></ol>"
        "</details><pre>a\n b</pre><p>or<br>so &amp; <code>x</code></p></details>"
    )
    assert from_html(html, str) == (
        "**Under fork**\n\n1. one\n1. two\n\n```text\na\n b\n```\n\nor so & `x`"
    )


def test_snippet_may_be_some_lines_of_a_file() -> None:
    """As Markdown's extension counts them."""
    source = '```\n--8<-- "examples/terminate/terminate_a_worker.py:3:4"\n```'
    written = Writer(BASE).text(source, Page("index.md"))
    assert written == "```\nimport time\nfrom multiprocessing import Pipe, Process\n```"


def test_snippet_may_be_a_section_of_a_file() -> None:
    """Without its marks, and without the indent of the function that it is in."""
    source = '```\n--8<-- "tests/outside/programs.py:redis_killed"\n```'
    written = Writer(BASE).text(source, Page("index.md"))
    assert written == "```\nstop(server, grace=0)\n```"


def test_box_may_follow_html() -> None:
    """Its Markdown is not taken for a part of the HTML."""
    source = "<p>one</p>\n<div markdown>\n\n- [two](decoder.md)\n\n</div>\n\nthree"
    written = Writer(BASE).text(source, Page("index.md"))
    assert written == f"one\n\n- [two]({BASE}decoder/index.md)\n\nthree"


def test_marks_of_the_builder_become_text() -> None:
    """Boxes, lists of attributes, and links; code is left as it is."""
    source = (
        '!!! note "Look"\n    See [it](stop.md#x) and `[no](link.md)`.\n\n'
        "    More.\n\nAfter.\n{ #after }\n\n"
        "<kbd>/</kbd> is a key.\n\n"
        '<div class="grid" markdown>\n- in a box\n</div>\n\n'
        '```python\nx = "[a](b.md)"\n\n\n# --8<-- none\n```\n'
        "[here](#y), [code](../evidence/runs.schema.json), "
        "[object][process_terminate.ExitStatus.from_shell]"
    )
    page = Page("reference/kill.md")
    assert Writer(BASE).text(source, page) == (
        f"**Look**\n\nSee [it]({BASE}reference/stop/#x) and `[no](link.md)`.\n\n"
        "More.\n\nAfter.\n\n<kbd>/</kbd> is a key.\n\n- in a box\n\n"
        '```python\nx = "[a](b.md)"\n\n\n# --8<-- none\n```\n'
        f"[here]({BASE}reference/kill/#y), "
        f"[code]({BASE}evidence/runs.schema.json), [object]({BASE}reference/"
        "ExitStatus/#process_terminate.ExitStatus.from_shell)"
    )


@pytest.mark.parametrize(
    ("lines", "description"),
    [
        (["One sentence that is long enough to say it all."] * 2, None),
        (["Short.", "This one comes with it."], "Short. This one comes with it."),
        ([("word " * 20).strip() + ", " + "word " * 20], ("word " * 20).strip() + "."),
        ([("word " * 40).strip()], ("word " * 32).strip() + "."),
    ],
)
def test_description_is_of_whole_sentences(
    lines: list[str], description: str | None
) -> None:
    """As many as fit; a long one ends at a pause."""
    assert pages.first_sentences(lines) == (description or " ".join(lines))


@pytest.fixture(scope="module")
def unpacked(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as it lies on a reader's disk."""
    folder = tmp_path_factory.mktemp("disk")
    offline.pack(site, folder / "name.zip")
    with ZipFile(folder / "name.zip") as archive:
        archive.extractall(folder)
    return folder / "name"


def test_zip_is_the_same_for_the_same_site(site: Path, tmp_path: Path) -> None:
    """It can be compared, and made again by others."""
    offline.pack(site, tmp_path / "a.zip")
    first = (tmp_path / "a.zip").read_bytes()
    offline.pack(site, tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == first


def test_links_lead_to_files_on_disk(unpacked: Path) -> None:
    """A folder would show its list of files instead of a page."""
    broken = []
    for path in unpacked.rglob("*.html"):
        tags = re.findall(r"<[a-z]+\b[^<>]*>", path.read_text("utf-8"))
        for link in re.findall(r'\b(?:href|src)="(.*?)"', "".join(tags)):
            address = urlsplit(link)
            if address.scheme or not address.path:
                continue
            if not (path.parent / unquote(address.path)).is_file():
                broken.append(f"{path}: {link}")
    assert broken == []


@pytest.mark.parametrize(
    ("link", "file"),
    [
        (".", "./index.html"),
        ("..", "../index.html"),
        ("../a/#b", "../a/index.html#b"),
        ("../a.py", "../a.py"),
        ("#b", "#b"),
        ("", ""),
        ("https://example.org/", "https://example.org/"),
        ("mailto:a@example.org", "mailto:a@example.org"),
    ],
)
def test_link_to_a_folder_gets_the_name_of_its_page(link: str, file: str) -> None:
    """Others stay."""
    assert offline.to_file(link) == file


def test_search_works_from_disk(unpacked: Path, browser: Browser) -> None:
    """It finds a page, whose file opens; nothing is asked of the network."""
    asked: list[str] = []
    page = browser.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.goto((unpacked / "index.html").as_uri())
    page.locator("input[name=query]").focus()
    page.keyboard.type("zombie")
    page.locator(".md-search-result__item a[href*=ask_a_zombie]").first.click()
    page.wait_for_url("**/ask_a_zombie/index.html*")
    assert "os.kill(pid, 0)" in page.locator("h1").inner_text()
    page.close()
    assert {urlsplit(address).scheme for address in asked} == {"file"}
    # Material would ask for it if it took the Markdown for a translation.
    assert [address for address in asked if address.endswith("sitemap.xml")] == []
