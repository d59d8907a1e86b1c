"""The folders of the project."""

import shutil
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
DOCS = ROOT / "docs"
#: What was measured: the only generated files that git tracks.
DATA = ROOT / "data"
#: What is rendered from the examples and the data, before each build; git ignores it.
BUILD = ROOT / ".build"
#: What the scripts in tools/platforms/ build, by interpreter; git ignores it.
PLATFORMS = ROOT / ".platforms"
#: Folders in the root that no copy of the project needs.
_UNCOPIED = {".git", ".venv", ".build", ".platforms", ".cache", "site", "dist"}


def copy_project(target: Path) -> Path:
    """Copy what git does not ignore, and compiled files, because they save time."""

    def unwanted(folder: str, names: list[str]) -> set[str]:
        caches = {name for name in names if name.endswith("_cache")}
        return caches | _UNCOPIED if Path(folder) == ROOT else caches

    return shutil.copytree(ROOT, target, ignore=unwanted)
