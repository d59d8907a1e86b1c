"""Render the table that decodes exit codes, which the library has."""

from evidence import pages
from evidence.template import fill
from process_terminate._exit_codes.rows import ROWS, Row
from process_terminate._exit_codes.signals import CORE

#: The example that prints one of the codes of a row.
_SHOWN = {
    0: "exit_codes/read_exit_codes",
    1: "exit_codes/read_exit_codes",
    -2: "signals/atexit_on_sigint",
    -6: "exit_codes/abort_at_exit",
    -7: "exit_codes/bus_error",
    -9: "exit_codes/killed_by_another_process",
    -11: "exit_codes/segmentation_fault",
    -15: "exit_codes/minus_15_or_143",
    241: "exit_codes/exit_code_241",
    255: "exit_codes/forkserver_killed",
    0xC0000005: "windows/read_exit_codes",
}
#: What the link to a source says, by its host.
_SOURCES = {
    "man7.org": "Linux manual",
    "docs.python.org": "Python's documentation",
    "github.com": "CPython's source",
    "learn.microsoft.com": "Microsoft",
    "www.gnu.org": "GNU manual",
}


def example_of(row: Row) -> str | None:
    """Return the name of the example that prints the first code of a row."""
    return _SHOWN.get(row.codes[0])


def files() -> dict[str, str]:
    """Return the table on the page of the decoder."""
    shown = pages.below("examples")
    titles = {page.example.name: page.title for page in shown if page.example}
    html = fill(
        "decoder.html",
        rows=ROWS,
        titles=titles,
        example_of=example_of,
        core=CORE,
        sources=_SOURCES,
    )
    return {"decoder.html": html}
