"""Run examples inside pytest, and what else several tests need."""

import json
import multiprocessing
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest
from pytest_examples import CodeExample, EvalExample
from pytest_examples.config import ExamplesConfig
from pytest_examples.run_code import Arg, InsertPrintStatements, PrintStatement

from evidence.measure import leftovers
from evidence.measure.run import run_file
from evidence.measure.trace import TRACER

#: The URL of the site that the tests build.
BASE = "https://example.org/"
#: The format of examples: 72 columns fit a phone held sideways.
STYLE = ExamplesConfig(line_length=72, target_version="py311")


def run_inside(
    example: CodeExample, evaluate: EvalExample, *, start_method: str | None = None
) -> None:
    """Run an example inside pytest; check what it prints, or update its `#>` lines."""
    evaluate.config = STYLE
    run = (
        evaluate.run_print_update
        if evaluate.update_examples
        else evaluate.run_print_check
    )
    with leftovers.ended() as left, as_main_program(start_method):
        # Without "__spec__" spawn and forkserver import the file again, as
        # they do for a program; with it they look for a module "__main__".
        run(example, module_globals={"__spec__": None}, rewrite_assertions=False)
    assert left == [], "left running"


@contextmanager
def as_main_program(start_method: str | None) -> Iterator[None]:
    """Let an example be `__main__` during the block."""
    main = sys.modules["__main__"]
    interrupted = False

    def interrupt(*_: object) -> NoReturn:
        nonlocal interrupted
        interrupted = True
        raise KeyboardInterrupt

    handler = signal.signal(signal.SIGINT, interrupt)
    of_sigterm = signal.getsignal(signal.SIGTERM)
    multiprocessing.set_start_method(start_method, force=True)
    try:
        with pytest.MonkeyPatch.context() as patch:
            # On CPython 3.11 its imitated frames crash pytest if an example raises.
            patch.setattr(
                "pytest_examples.run_code.create_example_traceback",
                lambda *_: None,
            )
            yield
    finally:
        multiprocessing.set_start_method(None, force=True)
        sys.modules["__main__"] = main
        signal.signal(signal.SIGINT, handler)
        signal.signal(signal.SIGTERM, of_sigterm)  # An example may handle it.
    if interrupted:  # pytest-examples swallows Ctrl-C.
        raise KeyboardInterrupt


def update_children(path: Path, notes: Path) -> None:
    """Write what the children of an example print below their `print()`.

    pytest-examples updates only what the main process prints.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(TRACER))
        patch.setenv("TRACED_EXAMPLE", str(path))
        patch.setenv("TRACED_NOTES", str(notes))
        patch.setenv("TRACED_PATIENCE", "0")
        run_file(path)
    if not notes.exists():
        return
    inserter = InsertPrintStatements(path, STYLE, True, None, None)
    assert inserter.print_func
    noted = [json.loads(line) for line in notes.read_text().splitlines()]
    prints = [note for note in noted if note["kind"] == "print"]
    inserter.print_func.statements = [
        PrintStatement(note["line"], " ", [Arg(note["text"])])
        for note in sorted(prints, key=lambda note: (note["line"], note["text"]))
        if note["pid"] != noted[0]["pid"]  # The main process.
    ]
    if updated := inserter.updated_print_statements(code_example(path)):
        path.write_text(updated, "utf-8")


def code_example(path: Path) -> CodeExample:
    """Return a whole file as an example of pytest-examples."""
    example: CodeExample = CodeExample.create(path.read_text("utf-8"), path=path)
    return example


def assert_golden(text: str, golden: Path, folder: Path) -> None:
    """Fail unless a text is that of a golden file; say how to replace the file."""
    now = folder / golden.name
    now.write_text(text, "utf-8")
    assert text == golden.read_text("utf-8"), f"cp {now} {golden}"
