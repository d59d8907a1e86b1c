"""What has a limit: each wait for a program, each module, each folder."""

import ast
from collections import Counter

from evidence.paths import ROOT

#: Recipes, which a program with a limit runs.
RECIPES = {"tests/outside/hangs.py", "tests/outside/programs.py"}
#: As docs/contributing/architecture.md says.
LINES, MODULES = 300, 10
FUNCTIONS = {"run", "call", "check_call", "check_output"}


def without_limit(source: str) -> list[str]:
    """Return the calls of subprocess that may wait forever."""
    calls = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Call)]
    found = []
    for call in calls:
        match call.func:
            case ast.Attribute(value=ast.Name("subprocess"), attr=name) if (
                name in FUNCTIONS and "timeout" not in {k.arg for k in call.keywords}
            ):
                found.append(f"line {call.lineno}: {ast.unparse(call.func)}")
    return found


def test_only_the_recipes_call_a_program_without_a_limit() -> None:
    found = {
        path.relative_to(ROOT).as_posix(): calls
        for folder in ("src", "tests", "tools")
        for path in (ROOT / folder).rglob("*.py")
        if (calls := without_limit(path.read_text("utf-8")))
    }
    assert found.keys() == RECIPES, found


def test_a_module_can_be_read_at_once_and_a_folder_seen_at_a_glance() -> None:
    modules = list((ROOT / "src").rglob("*.py"))
    long = [m for m in modules if len(m.read_text("utf-8").splitlines()) > LINES]
    names = Counter(m.parent for m in modules if not m.name.startswith("__"))
    full = [folder for folder, count in names.items() if count > MODULES]
    assert (long, full) == ([], [])
