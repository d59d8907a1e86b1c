"""Nothing that the tooling or a test starts is waited for without a limit."""

import ast

from evidence.paths import ROOT

#: Recipes, which a program with a limit runs.
RECIPES = {"tests/outside/hangs.py", "tests/outside/programs.py"}
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
