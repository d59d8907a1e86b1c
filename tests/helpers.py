"""What several tests need."""

import multiprocessing
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest
from pytest_examples import CodeExample, EvalExample

from evidence import leftovers
from evidence.examples import ROOT

DOCS = ROOT / "docs"
#: Columns of the examples: they fit a phone held sideways.
COLUMNS = 72


def run_inside(
    example: CodeExample, evaluate: EvalExample, *, start_method: str | None = None
) -> None:
    """Run an example inside pytest: check what it prints, or update it."""
    evaluate.set_config(line_length=COLUMNS)
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
    """Let an example be `__main__`, and put everything back afterwards."""
    main = sys.modules["__main__"]
    interrupted = False

    def interrupt(*_: object) -> NoReturn:
        nonlocal interrupted
        interrupted = True
        raise KeyboardInterrupt

    handler = signal.signal(signal.SIGINT, interrupt)
    multiprocessing.set_start_method(start_method, force=True)
    try:
        with pytest.MonkeyPatch.context() as patch:
            # On CPython 3.11 its imitation frames end pytest with an internal
            # error when an example raises; the true traceback is as good.
            patch.setattr(
                "pytest_examples.run_code.create_example_traceback",
                lambda *_: None,
            )
            yield
    finally:
        multiprocessing.set_start_method(None, force=True)
        sys.modules["__main__"] = main
        signal.signal(signal.SIGINT, handler)
    if interrupted:  # pytest-examples swallows Ctrl-C.
        raise KeyboardInterrupt


def code_example(path: Path) -> CodeExample:
    """A whole file as an example of pytest-examples."""
    example: CodeExample = CodeExample.create(path.read_text("utf-8"), path=path)
    return example
