"""The examples hold: what they print is true, wherever they can run."""

import ast
import multiprocessing
from pathlib import Path

import pytest
from pytest_examples import EvalExample
from pytest_examples.lint import black_format

from evidence import examples
from evidence.examples import Example
from evidence.measure.run import run_file
from helpers import STYLE, code_example, run_inside, update_children

EXAMPLES = examples.find()
# The first is the one that a program gets when it sets none.
DEFAULT_METHOD = multiprocessing.get_all_start_methods()[0]

each_example = pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e.name)
#: Those that name their own method, or start no process by it, are run once.
CASES = [
    (example, method)
    for example in EXAMPLES
    for method in (
        examples.start_methods() if example.follows_the_default else [DEFAULT_METHOD]
    )
]


@pytest.fixture(autouse=True)
def _only_where_it_can_run(request: pytest.FixtureRequest) -> None:
    example = request.node.callspec.params["example"]
    if example.why_not_here:
        pytest.skip(example.why_not_here)
    updating = request.config.getoption("update_examples")
    if updating and "inside" not in request.node.name:
        # The files are rewritten when the last test is over, not before.
        pytest.skip("one run of each example rewrites its outputs")


@each_example
def test_example_prints_what_it_says_inside_pytest(
    example: Example, eval_example: EvalExample
) -> None:
    """Each line that the main process prints stands below its print()."""
    if eval_example.update_examples:
        update_children(example.path, eval_example.tmp_path / "notes")
    run_inside(code_example(example.path), eval_example, start_method=DEFAULT_METHOD)


@pytest.mark.parametrize(
    ("example", "start_method"), CASES, ids=[f"{m}-{e.name}" for e, m in CASES]
)
def test_example_prints_what_it_says_as_a_file(
    example: Example, start_method: str
) -> None:
    """Run as by a reader, all processes together print just what it says."""
    method = None if start_method == DEFAULT_METHOD else start_method
    run = run_file(example.path, start_method=method)
    assert run.errors == ""
    assert run.status == 0, "None: killed at its deadline"
    assert run.leftovers == []
    # Sorted, because the order between processes is not fixed.
    assert sorted(run.output) == sorted(example.output)


@pytest.mark.parametrize(
    "example",
    [example for example in EXAMPLES if example.name.startswith("shared/terminate")],
    ids=lambda e: e.name,
)
def test_kill_leaves_the_same_behind(example: Example, tmp_path: Path) -> None:
    """What terminate() does to queues, pipes, events and locks, kill() does too."""
    source = example.source.replace(".terminate()", ".kill()")
    assert source != example.source
    path = tmp_path / "killing.py"
    path.write_text(source)
    killed = [line.replace("-15", "-9") for line in example.output]
    assert sorted(run_file(path).output) == sorted(killed)


@each_example
def test_example_follows_the_house_rules(example: Example) -> None:
    """Formatted, at most 40 lines and 72 columns, with a docstring of one line."""
    lines = example.source.splitlines()
    docstring = ast.get_docstring(ast.parse(example.source)) or ""
    assert example.source == black_format(example.source, STYLE)
    assert len(lines) <= 40
    assert max(map(len, lines)) <= STYLE.line_length
    assert docstring.endswith(".")
    assert "\n" not in docstring
    assert 'if __name__ == "__main__":' in lines
    assert example.output, "prints nothing, so proves nothing"
