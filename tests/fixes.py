"""How to fix what a failed test has found, for each file of tests.

A run of pytest that fails ends in one line for each failed check, so that
a contributor who did not write the test knows what to do.
"""

from collections.abc import Iterable

#: The beginning of a test's id below `tests/`: the name of the check, and the fix.
FIXES = {
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


def lines(nodeids: Iterable[str]) -> list[str]:
    """Return one line for each check, or file of other tests, that failed."""
    found: dict[str, None] = {}
    for nodeid in nodeids:
        path = nodeid.partition("::")[0]
        test = nodeid.removeprefix("tests/")
        check = next(
            (value for key, value in FIXES.items() if test.startswith(key)), None
        )
        name, fix = check or ("test", "see the failure above")
        found[f"check: {name} failed ({path}); fix: {fix}"] = None
    return list(found)
