"""The nav, the pages and the examples are the same set of things."""

from collections import Counter
from datetime import date
from pathlib import Path

import msgspec
import pytest
from bs4 import Tag

from evidence import examples, pages
from evidence.examples import Example
from evidence.measure.runs import Runs
from evidence.pages import Page, snippets
from evidence.paths import DOCS, EXAMPLES
from evidence.render import lists, render, tables
from evidence.render.results import Results
from helpers import assert_golden
from reading import html, linked_examples, read, rows

PAGES = pages.in_order()
GUIDES = pages.below("guides")
NAMES = {example.name for example in examples.find()}
#: Search engines show a description of this length whole.
SHORTEST, LONGEST = 50, 160
#: A guide may have no title but its heading, which tags must not repeat.
GUIDE_META = {"title", "description", "tags"}
GOLDEN = Path(__file__).parent / "golden"


def assert_examples(found: list[str], where: object) -> None:
    """Fail unless there is a link to an example, and each of them exists."""
    assert found, f"link to an example: {where}"
    assert set(found) <= NAMES, where


def test_nav_has_each_page_once() -> None:
    written = Counter(p.relative_to(DOCS).as_posix() for p in DOCS.rglob("*.md"))
    listed = Counter(page.path for page in PAGES)
    wrong = [*(written - listed), *(listed - written)]
    assert not wrong, f"correct the nav in mkdocs.yml: {wrong}"


def test_each_example_has_a_page_in_the_nav() -> None:
    shown = {page.example.name for page in PAGES if page.example}
    assert shown == NAMES, "each example needs a page; each page needs its example"


@pytest.mark.parametrize("page", pages.below("examples"), ids=lambda page: page.path)
def test_page_of_an_example_embeds_its_code_and_results(page: Page) -> None:
    assert page.example
    name = page.example.name
    assert page.source.count("{ data-search-exclude }") == 2
    # A page may show some lines of its example before all of it.
    assert {path.partition(":")[0] for path in snippets(page.source)} == {
        f"examples/{name}.py",
        f"run/{name}.html",
        f"timelines/{name}.html",
        f"tables/{name}.html",
    }
    assert f"examples/{name}.py" in snippets(page.source)


def test_page_has_a_description_of_its_own() -> None:
    lengths = {page.path: len(page.description) for page in PAGES}
    wrong = {p: n for p, n in lengths.items() if not SHORTEST <= n <= LONGEST}
    assert wrong == {}, f"write {SHORTEST} to {LONGEST} characters in the front matter"
    assert [p.path for p in PAGES if '"' in p.description] == [], "no double quotes"
    counts = Counter(page.description for page in PAGES)
    assert [text for text, count in counts.items() if count > 1] == []


@pytest.mark.parametrize("guide", GUIDES, ids=lambda page: page.path)
def test_guide_embeds_what_was_run(guide: Page) -> None:
    assert {"description"} <= set(guide.meta) <= GUIDE_META
    files = [path.partition(":")[0] for path in snippets(guide.source)]
    code = [path for path in files if path.endswith(".py")]
    run = {f"examples/{name}.py" for name in NAMES} | {"tests/outside/programs.py"}
    assert code, "embed an example"
    assert set(code) <= run


def test_list_of_a_topic_has_the_titles_in_the_order_of_the_nav() -> None:
    found = lists.files()
    for topic, shown in pages.topics().items():
        list_ = html(found[f"lists/examples/{topic}/index.md"])
        links = [(str(a["href"]), a.text) for a in list_.find_all("a")]
        assert links == [(Path(p.path).name, p.title) for p in shown]
        assert snippets(Page(f"examples/{topic}/index.md").source)


def test_table_of_a_page_is_markdown() -> None:
    assert [page.path for page in PAGES if "<table" in page.source] == []


def test_line_to_run_names_what_is_needed() -> None:
    def line(name: str) -> str:
        return lists.run_line(Example(EXAMPLES / f"{name}.py"), "https://a.example/b/")

    assert "which also brings psutil:" in line("children/check_a_zombie")
    assert "install `psutil`" in line("children/check_a_zombie")
    newer = "which also brings Python 3.14 or newer:"
    assert newer in line("signals/interrupt_a_worker")
    assert 'install <a href="/#install">this library</a>' in line("stop/stop_a_worker")


def test_render_writes_only_what_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SITE_URL", "https://a.example")
    gone = tmp_path / "tables" / "gone.html"
    gone.parent.mkdir()
    gone.touch()
    render(tmp_path)
    written = {p: p.stat().st_ino for p in tmp_path.rglob("*") if p.is_file()}
    assert gone not in written
    changed = tmp_path / "run/stop/terminate_a_worker.html"
    assert "uv run https://a.example/examples/" in changed.read_text("utf-8")
    changed.write_text("", "utf-8")
    render(tmp_path)
    again = {p: p.stat().st_ino for p in tmp_path.rglob("*") if p.is_file()}
    assert {p for p in written if again[p] != written[p]} == {changed}


def test_table_of_results_is_the_golden_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SITE_URL", "https://a.example/")
    example = Example(EXAMPLES / "stop/escalate_to_kill.py")
    source = (GOLDEN / "runs.json").read_text("utf-8")
    runs = msgspec.json.decode(source.replace("CURRENT", example.hash), type=Runs)
    text = tables.table(Results(example, runs))
    assert_golden(text, GOLDEN / "table.html", tmp_path)


def test_choice_leads_to_an_example_or_says_why_not() -> None:
    # The first table says what the words mean.
    _, *choices = [rows(table) for table in read("choose.md").find_all("table")]
    assert len(choices) > 5
    assert {len(table) for table in choices} == {4}
    for want, cell in (row for table in choices for row in table):
        if not cell.text.startswith("No example: "):
            assert_examples(linked_examples(cell), want)


def test_correction_has_a_quote_and_a_dated_run() -> None:
    page = read("corrections.md")
    claims = page.find_all("h3")
    assert claims
    for claim in claims:
        parts = list(claim.find_next_siblings())
        quote, run = parts[0], next(part for part in parts if part.name == "ul")
        assert quote.name == "blockquote", claim.text
        assert run.find_previous("h3") is claim, "end it with a list: Run: ..."
        assert run.text.strip().startswith("Run: "), claim.text
        assert_examples(linked_examples(run), claim.text)
        day = date.fromisoformat(run.text.strip().rpartition("; ")[2])
        assert day > date(2026, 1, 1)


def test_term_leads_to_an_example_and_has_an_anchor() -> None:
    page = read("glossary.md")
    names = [term.text for term in page.find_all("dt")]
    assert len(names) == len(page.find_all("dd")) > 20
    assert names == sorted(set(names), key=str.lower)
    for term in page.find_all("dt"):
        assert isinstance(term.span, Tag)
        assert term.span["id"], term.text
        meaning = term.find_next_sibling("dd")
        assert isinstance(meaning, Tag)
        assert_examples(linked_examples(meaning), term.text)


def test_difference_between_start_methods_is_shown_or_marked_not_run() -> None:
    differences = rows(read("explanation/start_methods.md"))
    assert differences
    for what, *cells in differences:
        found = [name for cell in cells for name in linked_examples(cell)]
        if not any("not run" in cell.text for cell in cells):
            assert_examples(found, what.text)


@pytest.mark.parametrize("page", pages.below("explanation"), ids=lambda page: page.path)
def test_explanation_is_short_and_leads_to_examples(page: Page) -> None:
    text = html(page.body)
    assert len(text.get_text(" ").split()) <= 900
    assert len(set(linked_examples(text))) >= 5
