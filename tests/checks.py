"""The checks of the documentation: each test file, and how to fix what it finds.

A run of pytest that fails ends in one line for each failed check, so that
a contributor who did not write the test knows what to do.
"""

from collections.abc import Iterable

#: The beginning of a test's id below `tests/`: the name of the check, and the fix.
CHECKS = {
    "examples/": ("outputs", "make update, if what it prints now is right"),
    "site/test_docs.py": ("pages", "change the page as the failure says"),
    "site/test_pages.py": (
        "pages",
        "change the page or the nav of mkdocs.yml as the failure says",
    ),
    "site/test_prose.py": ("prose", "make prose, and write what it says instead"),
    "site/": ("site", "correct the page that the failure names"),
    "evidence/test_record.py": ("runs", "make record"),
    "evidence/test_timeline.py": ("timelines", "make record"),
    "evidence/test_studies.py": ("studies", "run the command that the failure names"),
    "evidence/test_workflows.py": (
        "workflows",
        "correct the file in .github/workflows that the failure names",
    ),
    "browser/": ("browser", "correct the page or the style that the failure names"),
}


def failed(nodeids: Iterable[str]) -> list[str]:
    """Return one line for each check, or file of other tests, that failed."""
    lines: dict[str, None] = {}
    for nodeid in nodeids:
        path = nodeid.partition("::")[0]
        test = nodeid.removeprefix("tests/")
        found = next(
            (value for key, value in CHECKS.items() if test.startswith(key)), None
        )
        name, fix = found or ("test", "see the failure above")
        lines[f"check: {name} failed ({path}); fix: {fix}"] = None
    return list(lines)
