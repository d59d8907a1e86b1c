"""Nothing that the tooling or a test starts is waited for without a limit."""

import ast

import pytest

from evidence.paths import ROOT

#: Recipes, which a program with a limit runs.
EXEMPT = {"tests/outside/hangs.py", "tests/outside/programs.py"}
FUNCTIONS = {"run", "call", "check_call", "check_output"}
FILES = [
    path
    for folder in ("src", "tests", "tools")
    for path in (ROOT / folder).rglob("*.py")
    if path.relative_to(ROOT).as_posix() not in EXEMPT
]


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


def test_call_of_a_program_has_a_limit() -> None:
    found = [
        f"{path}: {call}"
        for path in FILES
        for call in without_limit(path.read_text("utf-8"))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(("limit", "found"), [("", 1), (", timeout=1", 0)])
def test_call_without_a_limit_is_found(limit: str, found: int) -> None:
    assert len(without_limit(f"subprocess.run(['true']{limit})")) == found
