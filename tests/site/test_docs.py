"""The documentation and what it speaks of are the same set of things."""

import inspect
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import griffe
import pytest
import yaml
from pytest_examples import CodeExample, EvalExample, find_examples

import process_terminate
from evidence import examples
from evidence.examples import Example
from evidence.paths import ROOT
from evidence.studies import programs, survivors
from helpers import DOCS, code_example, run_inside

EXAMPLES = examples.find()
EMBED = re.compile(r'(?m)^ *--8<-- "examples/(.+)\.py"$')
#: The recipes need programs that are not everywhere; their record says when they ran.
RECIPE = re.compile(r'(?m)^--8<-- "tests/outside/programs\.py:(\w+)"$')
PROOF = re.compile(r"\[Proof\]\(\.\./examples/(\S+)\.md\)$")

GUIDES = [page for page in sorted(DOCS.glob("guides/*.md")) if page.stem != "index"]
#: The guides without an example, and why.
NOT_RUN = {"windows": "nothing was run on Windows, so there is nothing to embed"}

each_example = pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e.name)
each_name = pytest.mark.parametrize("name", process_terminate.__all__)
FUNCTIONS = [
    name
    for name in process_terminate.__all__
    if inspect.isfunction(getattr(process_terminate, name))
]


@cache
def package() -> griffe.Object | griffe.Alias:
    """The package as the site reads it, without running it."""
    return griffe.load("process_terminate", resolve_aliases=True)


def docstring_of(name: str) -> griffe.Docstring:
    """The docstring of a public function, as the site reads it."""
    docstring = package()[name].docstring
    assert isinstance(docstring, griffe.Docstring)
    return docstring


def caveats_of(name: str) -> list[str]:
    """The bullets in the box of caveats, each as one line."""
    for section in docstring_of(name).parse("google"):
        if section.title == "Caveats":
            bullets = re.split(r"(?m)^- ", section.value.contents)
            return [" ".join(bullet.split()) for bullet in bullets[1:]]
    return []


def pages_in_nav() -> list[str]:
    """The pages that mkdocs.yml names, in their order."""

    class Loader(yaml.SafeLoader):
        """Takes `!ENV`, which is MkDocs' own, for nothing."""

    Loader.add_constructor("!ENV", lambda *_: None)

    def pages(node: Any) -> Iterator[str]:
        match node:
            case str():
                yield node
            case dict():
                for value in node.values():
                    yield from pages(value)
            case list():
                for value in node:
                    yield from pages(value)

    text = (ROOT / "mkdocs.yml").read_text("utf-8")
    return list(pages(yaml.load(text, Loader)["nav"]))  # noqa: S506, a SafeLoader


def python_blocks() -> Iterator[CodeExample]:
    """The Python blocks of pages, README and docstrings, but what is embedded."""
    for block in find_examples(DOCS, ROOT / "README.md", ROOT / "src"):
        source = block.source.strip()
        if not EMBED.fullmatch(source) and not RECIPE.fullmatch(source):
            yield block


@each_example
def test_example_is_embedded_on_its_page(example: Example) -> None:
    """The page of an example has its name, and shows its file."""
    page = DOCS / "examples" / f"{example.name}.md"
    assert page.exists(), f"make this page, with the example in it: {page}"
    assert EMBED.findall(page.read_text("utf-8")) == [example.name]


@each_example
def test_example_is_listed_in_the_indexes(example: Example) -> None:
    """The index of its topic and the index of all lead to each example, once."""
    topic, name = example.name.split("/")
    index = DOCS / "examples"
    of_topic = (index / topic / "index.md").read_text("utf-8")
    assert len(re.findall(rf"(?m)^- .*\({name}\.md\)", of_topic)) == 1
    of_all = (index / "index.md").read_text("utf-8")
    assert len(re.findall(rf"(?m)^- .*\({example.name}\.md\)", of_all)) == 1


def test_page_of_an_example_has_its_example() -> None:
    """No page is left of an example that is gone."""
    pages = (DOCS / "examples").glob("*/*.md")
    names = {f"{p.parent.name}/{p.stem}" for p in pages if p.stem != "index"}
    assert names == {example.name for example in EXAMPLES}


def test_page_is_in_the_navigation() -> None:
    """Each page is in `nav` once; Zensical would not complain of one that is not."""
    pages = sorted(p.relative_to(DOCS).as_posix() for p in DOCS.rglob("*.md"))
    assert sorted(pages_in_nav()) == pages


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_guide_embeds_an_example_that_runs(guide: Path) -> None:
    """What a guide recommends is an example, or a recipe, to the letter."""
    embedded = EMBED.findall(guide.read_text("utf-8"))
    if guide.stem in NOT_RUN:
        assert embedded == [], NOT_RUN[guide.stem]
    elif guide == programs.PAGE:
        recipes = RECIPE.findall(guide.read_text("utf-8"))
        assert (embedded, recipes) == ([], list(programs.PROGRAMS))
    else:
        assert embedded
        assert set(embedded) <= {example.name for example in EXAMPLES}


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_guide_is_listed_in_the_index_of_guides(guide: Path) -> None:
    """The index leads to each guide, by the guide's own title."""
    title = re.search(r"(?m)^# (.+)$", guide.read_text("utf-8"))
    assert title
    index = (DOCS / "guides" / "index.md").read_text("utf-8")
    assert index.count(f"- **[{title[1]}]({guide.name})**") == 1


@pytest.mark.parametrize("page", sorted(DOCS.glob("guides/*.md")), ids=lambda p: p.stem)
def test_guide_has_a_title_and_a_description(page: Path) -> None:
    """Search engines show both; MkDocs takes a fault in them for no front matter."""
    _, front, text = page.read_text("utf-8").split("---\n", 2)
    meta = yaml.safe_load(front)
    assert set(meta) == {"title", "description"}
    assert f"# {meta['title']}\n" in text


def test_guide_that_is_not_run_says_so() -> None:
    """Nobody takes what was only read for what was seen."""
    for name in NOT_RUN:
        assert "not run" in (DOCS / "guides" / f"{name}.md").read_text("utf-8")


@pytest.mark.parametrize("block", list(python_blocks()), ids=str)
def test_python_block_prints_what_it_says(
    block: CodeExample, eval_example: EvalExample
) -> None:
    """A Python block that is not an embedded example runs as well."""
    run_inside(block, eval_example)


@each_name
def test_name_has_a_reference_page_with_its_proofs(name: str) -> None:
    """A page is generated by one line, and shows every example the text links to."""
    page = (DOCS / "reference" / f"{name}.md").read_text("utf-8")
    assert re.findall(r"(?m)^:::.*$", page) == [f"::: process_terminate.{name}"]
    linked = re.findall(r"\.\./examples/(\S+)\.md", docstring_of(name).value)
    assert set(EMBED.findall(page)) >= set(linked)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_has_caveats(name: str) -> None:
    """Each function says what it does not do; each caveat is then held to a proof."""
    assert caveats_of(name)


@pytest.mark.parametrize(
    "caveat",
    [caveat for name in process_terminate.__all__ for caveat in caveats_of(name)],
)
def test_caveat_ends_in_a_link_to_its_proof(caveat: str) -> None:
    """The link leads to the page of an example, which the tests run."""
    proof = PROOF.search(caveat)
    assert proof, f"no [Proof](../examples/...) at its end: {caveat}"
    assert proof[1] in {example.name for example in EXAMPLES}


def test_readme_shows_an_example_as_it_is() -> None:
    """The first Python block of the README is the example, to the letter."""
    block = next(iter(find_examples(ROOT / "README.md")))
    example = ROOT / "examples/terminate/escalate_to_kill.py"
    assert block.source == code_example(example).source


def test_survivors_are_what_was_recorded() -> None:
    """The page is what the record gives; the trees are the ones that were measured."""
    record = json.loads(survivors.RECORD.read_text("utf-8"))
    mend = "python -m evidence survivors"
    hashes = {tree: survivors.source_hash(tree) for tree in survivors.trees()}
    assert record["sources"] == hashes, mend
    assert survivors.PAGE.read_text("utf-8") == survivors.render(), mend


def test_programs_are_what_was_recorded() -> None:
    """The page is what the record gives; the recipes are the ones that were run."""
    record = json.loads(programs.RECORD.read_text("utf-8"))
    mend = "python -m evidence programs"
    assert record["source"] == programs.source_hash(), mend
    assert list(record["programs"]) == list(programs.PROGRAMS), mend
    assert programs.PAGE.read_text("utf-8") == programs.render(), mend


def test_functions_documented_are_the_functions_exported() -> None:
    """The index of the reference names each function once."""
    index = (DOCS / "reference" / "index.md").read_text("utf-8")
    linked = re.findall(r"^- \[`\w+\(.*?\)`\]\((\w+)\.md\)", index, re.MULTILINE)
    assert sorted(linked) == sorted(process_terminate.__all__)
    assert all(Path(DOCS / "reference" / f"{name}.md").exists() for name in linked)


def test_error_text_is_what_its_example_prints() -> None:
    """Each row of the page of errors, to the letter."""
    by_name = {example.name: example for example in EXAMPLES}
    page = (DOCS / "errors.md").read_text("utf-8")
    rows = re.findall(r"(?m)^\| `(.+?)` \|.*\(examples/(\S+)\.md\) \|$", page)
    assert len(rows) == page.count("\n| ") - 1  # Without the head of the table.
    for text, name in rows:
        assert text in "\n".join(by_name[name].output), name


@pytest.mark.parametrize("name", ["README.md", "SECURITY.md"])
def test_links_of_the_repository_lead_somewhere(name: str) -> None:
    """Files that stand beside the site and not in it."""
    text = (ROOT / name).read_text("utf-8")
    targets = re.findall(r"\]\(([^)#:]+)\)", text)
    targets += re.findall(r"(?m)^\[\w+\]: (\S+)$", text)
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_signals_that_are_sent_are_named() -> None:
    """What SECURITY.md says is what the sources of the library name as sent."""
    text = (ROOT / "SECURITY.md").read_text("utf-8")
    sources = [
        p.read_text("utf-8") for p in (ROOT / "src").glob("process_terminate/*.py")
    ]
    verbs = set(re.findall(r'"(terminate|resume|suspend|kill)"', "".join(sources)))
    sent = {
        "terminate": "SIGTERM",
        "resume": "SIGCONT",
        "suspend": "SIGSTOP",
        "kill": "SIGKILL",
    }
    line = next(line for line in text.splitlines() if "It sends `" in line)
    assert set(re.findall(r"`(SIG\w+)`", line)) == {sent[verb] for verb in verbs}


def test_tree_of_the_architecture_is_there() -> None:
    """Each file and folder that the page names."""
    page = (DOCS / "contributing" / "architecture.md").read_text("utf-8")
    tree = page.partition("```text\n")[2].partition("\n```")[0]
    named = re.findall(r"(?m)^([\w.][\w./]*\.\w+|[\w.][\w./]*/)(?= )", tree)
    assert len(named) > 15
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_changelog_has_its_form() -> None:
    """Keep a Changelog's: versions from the newest on, and six kinds of changes."""
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    versions = re.findall(r"(?m)^## (.+)$", text)
    assert versions[0] == "[Unreleased]"
    pattern = r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d"
    assert all(re.fullmatch(pattern, version) for version in versions[1:])
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert set(re.findall(r"(?m)^### (.+)$", text)) <= kinds
