"""Each example prints what it says, wherever it can run."""

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
#: The start method of a program that sets none.
DEFAULT_METHOD, *_ = AVAILABLE = multiprocessing.get_all_start_methods()
TERMINATE = ".terminate()"

each_example = pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e.name)
#: Examples that name their method, or use none, run once. The slowest methods come
#: first, so that the processes that share the tests finish together.
CASES = [
    (example, method)
    for method in reversed(examples.START_METHODS)
    if method in AVAILABLE
    for example in EXAMPLES
    if example.follows_the_default or method == DEFAULT_METHOD
]


@pytest.fixture(autouse=True)
def _only_where_it_can_run(request: pytest.FixtureRequest) -> None:
    example = request.node.callspec.params["example"]
    if example.why_not_here:
        pytest.skip(example.why_not_here)
    updating = request.config.getoption("update_examples")
    if updating and "inside" not in request.node.name:
        # pytest-examples rewrites the files after the last test.
        pytest.skip("only the run inside pytest updates the outputs")


@pytest.mark.alone  # Python warns of fork() beside the thread of an xdist worker.
@each_example
def test_example_prints_what_it_says_inside_pytest(
    example: Example, eval_example: EvalExample
) -> None:
    """The `#>` lines of the main process stand below the right `print()`."""
    if eval_example.update_examples:
        update_children(example.path, eval_example.tmp_path / "notes")
    run_inside(code_example(example.path), eval_example, start_method=DEFAULT_METHOD)


@pytest.mark.parametrize(
    ("example", "start_method"), CASES, ids=[f"{m}-{e.name}" for e, m in CASES]
)
def test_example_prints_what_it_says_as_a_file(
    example: Example, start_method: str
) -> None:
    """All processes together print the `#>` lines, and none keeps running."""
    method = None if start_method == DEFAULT_METHOD else start_method
    run = run_file(example.path, start_method=method)
    assert run.errors == ""
    assert run.status == 0, "None: killed at its deadline"
    assert run.leftovers == []
    # Sorted, because the order between processes is not fixed.
    assert sorted(run.output) == sorted(example.output)


@pytest.mark.parametrize(
    "example",
    [
        example
        for example in EXAMPLES
        if example.name.startswith("queues/")
        and TERMINATE in example.source
        and "signal.signal" not in example.source  # kill() runs no handler.
    ],
    ids=lambda e: e.name,
)
def test_kill_leaves_the_same_behind(example: Example, tmp_path: Path) -> None:
    """Queues, pipes, events and locks break by kill() as by terminate()."""
    source = example.source.replace(TERMINATE, ".kill()")
    path = tmp_path / "killing.py"
    path.write_text(source)
    killed = [line.replace("-15", "-9") for line in example.output]
    assert sorted(run_file(path).output) == sorted(killed)


@each_example
def test_example_follows_the_house_rules(example: Example) -> None:
    """It is formatted and short, with a one-line docstring and a main block."""
    lines = example.source.splitlines()
    assert example.source == black_format(example.source, STYLE)
    assert len(lines) <= 40
    assert max(map(len, lines)) <= STYLE.line_length
    assert example.summary.endswith(".")
    assert "\n" not in example.summary
    assert 'if __name__ == "__main__":' in lines
    assert example.output, "prints nothing, so shows nothing"
