"""The checks of the documentation: the tests that hold each, and what mends it.

A run that fails names them in one line each; docs/contributing/checks.md explains them.
Also the files of tests that another platform cannot run, with the reason.
"""

from collections.abc import Iterable
from dataclasses import dataclass

PYTHON = ".venv/bin/python"
#: The files that cannot run there, by the `sys.platform`, and why.
NOT_THERE = {
    "darwin": {
        "test_handle": "compares with pidfds, which Linux has",
        "test_howoften": "was measured on Linux",
        "test_record": "expects the start methods in the order of Linux",
        "test_timeline": "the tracer reads /proc, which Linux has",
        "test_tree": "looks for survivors in /proc, which Linux has",
    },
    "win32": {
        "test_checks": "sends Ctrl-C to a group, which POSIX has",
        "test_exit_status": "has the numbers of POSIX",
        "test_handle": "compares with pidfds, which Linux has",
        "test_howoften": "was measured on Linux",
        "test_process": "expects the exit codes of POSIX",
        "test_record": "runs examples, which were written for POSIX",
        "test_sigterm": "sends SIGTERM, which cannot be handled on Windows",
        "test_stop": "sends signals, which POSIX has",
        "test_timeline": "the tracer reads /proc, which Linux has",
        "test_tree": "looks for survivors in /proc, which Linux has",
    },
}


@dataclass(frozen=True)
class Check:
    """Something that must be true of the documentation."""

    name: str
    tests: tuple[str, ...]
    """Each a file of `tests/` and the beginning of the names of tests in it."""
    mend: str


CHECKS = [
    Check(
        "outputs",
        (
            "test_examples.py::test_example_prints_what_it_says",
            "test_examples.py::test_kill_leaves_the_same_behind",
        ),
        "make update, if what it prints now is right",
    ),
    Check(
        "house rules",
        ("test_examples.py::test_example_follows_the_house_rules",),
        "shorten or format the example as the failure says",
    ),
    Check(
        "blocks",
        ("test_docs.py::test_python_block_prints_what_it_says",),
        f"{PYTHON} -m pytest tests/test_docs.py -k python_block --update-examples",
    ),
    Check(
        "embedded",
        (
            "test_docs.py::test_example_is_embedded_on_its_page",
            "test_docs.py::test_example_is_listed_in_the_indexes",
            "test_docs.py::test_page_of_an_example_has_its_example",
            "test_docs.py::test_guide_embeds_an_example_that_runs",
        ),
        "make the page that the failure names, and list it in both indexes",
    ),
    Check(
        "navigation",
        ("test_docs.py::test_page_is_in_the_navigation",),
        "name the page in the nav of mkdocs.yml, once",
    ),
    Check(
        "caveats",
        (
            "test_docs.py::test_function_has_caveats",
            "test_docs.py::test_caveat_ends_in_a_link_to_its_proof",
        ),
        "end the caveat in [Proof](../examples/<topic>/<name>.md)",
    ),
    Check(
        "evidence",
        (
            "test_record.py::test_record_is_of_the_examples_as_they_are",
            "test_timeline.py::test_timeline_is_of_the_example_and_the_tracer",
            "test_howoften.py::test_record_is_of_the_program_as_it_is",
        ),
        f"make evidence; for the broken queues {PYTHON} -m evidence howoften",
    ),
    Check(
        "drawn",
        (
            "test_record.py::test_table_is_what_the_record_gives",
            "test_record.py::test_overview_is_what_the_records_give",
            "test_timeline.py::test_timeline_is_what_its_events_give",
            "test_howoften.py::test_plot_and_tables_are_what_the_record_gives",
            "test_howoften.py::test_page_is_what_the_record_gives",
            "test_decoder.py::test_page_is_what_the_library_gives",
        ),
        f"{PYTHON} -m evidence render",
    ),
    Check(
        "links",
        (
            "test_site.py::test_links_lead_somewhere",
            "test_docs.py::test_links_of_the_repository_lead_somewhere",
        ),
        "correct the link that the failure names",
    ),
    Check(
        "addresses",
        ("test_publish.py::test_addresses_are_recorded",),
        "say in docs/redirects.txt where a lost address leads, then "
        f"{PYTHON} -m evidence addresses",
    ),
    Check(
        "descriptions",
        ("test_publish.py::test_page_has_its_own_description",),
        f"{PYTHON} -m evidence render, or write one of 50 to 160 characters",
    ),
    Check(
        "one host",
        (
            "test_site.py::test_pages_load_nothing_from_other_hosts",
            "test_publish.py::test_site_sets_no_cookie",
        ),
        "serve what the page loads from docs/assets",
    ),
    Check(
        "accessibility",
        ("browser/test_accessibility.py::",),
        "correct the page or the style that axe names",
    ),
    Check(
        "budget",
        ("browser/test_weight.py::", "test_styles.py::"),
        "make the page smaller, or leave out of the site what no reader needs",
    ),
    Check(
        "API",
        ("test_package.py::test_break_of_the_api_is_in_the_changelog",),
        "name it in CHANGELOG.md below [Unreleased], Changed or Removed",
    ),
    Check(
        "workflows",
        ("test_workflows.py::",),
        "correct the file in .github/workflows that the failure names",
    ),
]


def failing(nodeids: Iterable[str]) -> list[str]:
    """One line for each check, or file of other tests, that these failures are of."""
    lines: dict[str, None] = {}
    for nodeid in nodeids:
        path, _, name = nodeid.partition("::")
        test = f"{path.removeprefix('tests/')}::{name}"
        check = next((c for c in CHECKS if test.startswith(c.tests)), None)
        if check is None:
            lines[f"check: {path} fails; mend it: see its failure above"] = None
        else:
            lines[f"check: {check.name} fails ({path}); mend it: {check.mend}"] = None
    return list(lines)
