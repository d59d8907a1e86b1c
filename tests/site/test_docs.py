"""What the documentation says is what a run shows."""

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from functools import cache

import griffe
import pytest
from bs4 import Tag
from pytest_examples import CodeExample, EvalExample, find_examples

import process_terminate
from evidence import examples
from evidence.pages import Page, snippets
from evidence.paths import DOCS, EXAMPLES, ROOT
from helpers import run_inside
from reading import error_messages, html, linked_examples, read

OUTPUTS = {example.name: example.output for example in examples.find()}
PUBLIC = process_terminate.__all__
#: Messages that no example prints: some are in the traceback of a worker or need another
#: package, blocks print others, and the last one needs Python 3.12.
NOT_IN_AN_EXAMPLE = {
    "Can't get attribute 'work' on <module '__main__'",
    "Error in atexit._run_exitfuncs",
    "Event loop is closed",
    "asyncio.run() cannot be called from a running event loop",
    "handle is closed",
    "is not the running loop",
    "Error sending result",
    "objects should only be shared between processes through inheritance",
    "[Errno 38] Function not implemented",
    "Task was destroyed but it is pending!",
    "read() called while another coroutine is already waiting for incoming data",
    "Event loop stopped before Future completed.",
    "Attempted to exit cancel scope in a different task than it was entered in",
    "cannot pickle '_thread.lock' object",
    "This process is multi-threaded, use of fork() may lead to deadlocks in the child",
    "context has already been set",
    "may have been in progress in another thread when fork() was called",
    "[Errno 26] Text file busy",
    "[Errno 28] No space left on device",
    "set_wakeup_fd only works in main thread of the main interpreter",
    "sys.meta_path is None, Python is likely shutting down",
    "cannot join thread at interpreter shutdown",
    "reentrant call inside <_io.BufferedWriter name='<stdout>'>",
    "[Errno 5] Input/output error",
    "child.wait() in a signal handler hangs",
}
FUNCTIONS = [n for n in PUBLIC if inspect.isfunction(getattr(process_terminate, n))]


@cache
def library() -> griffe.Object | griffe.Alias:
    """Return the library as the site reads it."""
    return griffe.load("process_terminate", resolve_aliases=True)


def docstring_of(name: str) -> griffe.Docstring:
    """Return the docstring of a public name."""
    docstring = library()[name].docstring
    assert isinstance(docstring, griffe.Docstring)
    return docstring


def caveats_of(name: str) -> list[Tag]:
    """Return the items in the box of caveats."""
    for section in docstring_of(name).parse("google"):
        if section.title == "Caveats":
            return list(html(section.value.contents).find_all("li"))
    return []


def python_blocks() -> Iterator[CodeExample]:
    """Yield the Python blocks of pages, README and docstrings that embed no file."""
    for block in find_examples(DOCS, ROOT / "README.md", ROOT / "src"):
        if not snippets(block.source):
            yield block


@pytest.mark.alone  # A fork beside threads would be a warning.
@pytest.mark.parametrize("block", list(python_blocks()), ids=str)
def test_python_block_prints_what_it_says(
    block: CodeExample, eval_example: EvalExample
) -> None:
    run_inside(block, eval_example)


@pytest.mark.parametrize("name", PUBLIC)
def test_reference_page_embeds_the_examples_of_its_docstring(name: str) -> None:
    linked = linked_examples(html(docstring_of(name).value))
    embedded = snippets(Page(f"reference/{name}.md").source)
    assert {f"examples/{path}.py" for path in linked} <= set(embedded)


@pytest.mark.parametrize("name", PUBLIC)
def test_caveat_ends_in_a_link_to_its_example(name: str) -> None:
    caveats = caveats_of(name)
    assert caveats or name not in FUNCTIONS
    for caveat in caveats:
        found = linked_examples(caveat)
        assert found, f"no link to ../examples/<topic>/<name>.md: {caveat.text}"
        assert found[-1] in OUTPUTS
        last = caveat.find_all("a")[-1].text
        text = caveat.text.rstrip().removesuffix(".").removesuffix(")")
        assert text.endswith(last), "the link comes last"


def test_error_message_has_code_and_is_shown_by_an_example() -> None:
    found = error_messages()
    assert len(found) > 25
    for _, message, below in found:
        assert {"pre", "table"} & {tag.name for tag in below}, message
        names = [name for tag in below for name in linked_examples(tag)]
        assert names, message
        sources = [(EXAMPLES / f"{name}.py").read_text("utf-8") for name in names]
        if message not in NOT_IN_AN_EXAMPLE:
            # An example may print or compare only the beginning of a long message.
            beginning = " ".join(message.split()[:5])
            assert any(beginning in source for source in sources), message


def test_lines_shown_of_an_example_are_whole_statements() -> None:
    """A range of lines does not follow when the example changes."""
    shown = re.compile(r'--8<-- "(examples/[^":]+):([0-9:,]+)"')
    for page in sorted(DOCS.rglob("*.md")):
        for name, ranges in shown.findall(page.read_text("utf-8")):
            lines = (ROOT / name).read_text("utf-8").splitlines()
            bounds = [map(int, part.split(":")) for part in ranges.split(",")]
            text = "\n".join(
                line for first, last in bounds for line in lines[first - 1 : last]
            )
            try:
                ast.parse(textwrap.dedent(text))
            except SyntaxError as error:
                pytest.fail(f"{page.relative_to(ROOT)}: {name}:{ranges}: {error}")


def test_readme_and_first_page_show_the_same_call() -> None:
    readme, page = (
        next(iter(find_examples(path))).source
        for path in (ROOT / "README.md", DOCS / "index.md")
    )
    assert "stop(" in readme
    assert readme == page


@pytest.mark.parametrize("name", ["README.md", "SECURITY.md"])
def test_links_of_the_repository_lead_somewhere(name: str) -> None:
    links = html((ROOT / name).read_text("utf-8")).find_all("a", href=True)
    targets = [str(link["href"]).partition("#")[0] for link in links]
    targets = [target for target in targets if "://" not in target]
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_security_page_names_each_signal_that_is_sent() -> None:
    paths = (ROOT / "src" / "process_terminate").rglob("*.py")
    # diagnose() names signals and sends none.
    sending = [path for path in paths if "_diagnose" not in path.parts]
    source = "".join(path.read_text("utf-8") for path in sending)
    signals = {"SIGTERM", "SIGCONT", "SIGSTOP", "SIGKILL", "SIGHUP"}
    items = html((ROOT / "SECURITY.md").read_text("utf-8")).find_all("li")
    (item,) = [item for item in items if item.text.startswith("It sends ")]
    named = {code.text for code in item.find_all("code") if code.text.startswith("SIG")}
    assert named == {name for name in signals if name in source}


def test_tree_of_the_architecture_exists() -> None:
    page = read("contributing/architecture.md")
    tree = page.find("code", class_="language-text")
    assert isinstance(tree, Tag)
    lines = [line for line in tree.text.splitlines() if not line.startswith(" ")]
    named = [word for line in lines for word in line.split("  ")[0].split()]
    named = [word for word in named if set("./") & set(word)]  # Not a description.
    named = [word for word in named if not set("<{,") & set(word)]
    assert len(named) > 5
    assert [word for word in named if not (ROOT / word).exists()] == []


def test_changelog_has_the_form_of_keep_a_changelog() -> None:
    page = html((ROOT / "CHANGELOG.md").read_text("utf-8"))
    newest, *versions = [heading.text for heading in page.find_all("h2")]
    assert newest == "[Unreleased]"
    for version in versions:
        number, _, day = version.partition(" - ")
        assert number.strip("[]").count(".") == 2
        assert len(day.split("-")) == 3
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert {heading.text for heading in page.find_all("h3")} <= kinds
