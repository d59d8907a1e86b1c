"""Make real programs hang, and write down what diagnose() prints of them."""

import os
import shutil
import tempfile
from pathlib import Path

from msgspec import Struct

from evidence import UserError, installed, store
from evidence.measure import leftovers
from evidence.studies import programs, study
from evidence.studies.study import Report, Study

PATH = study.FOLDER / "hangs.json"
_RECIPES = programs.OUTSIDE / "hangs.py"
_FILES = programs.OUTSIDE / "hanging"


class Hang(Struct, frozen=True):
    """A program that a recipe makes hang."""

    title: str
    needs: tuple[str, ...] = ()
    """Commands that must be installed."""


#: By the names of the recipes in `tests/outside/hangs.py`, in the guide's order.
HANGS = {
    "popen": Hang("subprocess.Popen(stdout=PIPE) with wait()", ("seq",)),
    "executor": Hang("a ProcessPoolExecutor whose worker was killed"),
    "pytest": Hang("pytest that does not exit"),
    "gunicorn": Hang("a stuck worker of Gunicorn"),
    "postgresql": Hang("a client of PostgreSQL", ("psql", "setpriv")),
    "sigttin": Hang("a background job of a shell", ("bash",)),
    "jupyter": Hang("a busy kernel of Jupyter"),
}


class Hangs(Study, kw_only=True):
    """Why real programs hang."""

    hash: str
    """Of the recipes and their files."""
    reports: dict[str, list[str]]
    """Lines, by the name of the recipe."""


def why_not(name: str) -> str | None:
    """Return why a recipe cannot run here; None if it can."""
    return installed.why_missing(HANGS[name].needs)


def run(name: str, python: Path) -> list[str]:
    """Run a recipe in an environment; return what diagnose() printed."""
    with tempfile.TemporaryDirectory(prefix="hang-") as folder:
        shutil.copytree(_FILES, folder, dirs_exist_ok=True)
        with leftovers.ended() as left:
            own = str(python.parents[1])
            ended = installed.run(
                [python, _RECIPES, name, folder], folder, VIRTUAL_ENV=own
            )
    if ended.returncode or left:
        raise RuntimeError(f"{name}: left {left}: {ended.stderr[-3000:]}")
    said = ended.stdout.replace(folder + os.sep, "").replace(folder, ".")
    return said.replace(str(python.parent) + os.sep, "").splitlines()


def record(report: Report) -> None:
    """Run each recipe, and write down what diagnose() printed."""
    for name in HANGS:
        if reason := why_not(name):
            raise UserError(f"{name}: {reason}")
    with installed.environment() as python:
        install(python)
        data = Hangs(**study.circumstances(), hash=source_hash(), reports={})
        for name in HANGS:
            data.reports[name] = run(name, python)
            report(f"{name}: {len(data.reports[name])} lines")
    store.write(PATH, data, depth=3)


def install(python: Path) -> None:
    """Install the programs in an environment."""
    installed.install(python, "-r", _RECIPES.with_name("hanging.txt"))


def source_hash() -> str:
    """Return a hash of what runs in the recipes, and of their files."""
    return study.hash_of([_RECIPES, *sorted(_FILES.glob("*.py"))])


def outdated(data: Hangs) -> list[str]:
    """Return the recipes if the reports are of other ones."""
    is_current = data.hash == source_hash() and list(data.reports) == list(HANGS)
    return [] if is_current else [_RECIPES.name]


def load() -> Hangs:
    """Return what was recorded."""
    return store.read(PATH, Hangs)
