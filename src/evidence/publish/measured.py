"""Publish what was measured: the files of `data/`, each with its JSON Schema."""

import inspect
import shutil
from pathlib import Path

import msgspec
from msgspec import Struct

from evidence import elsewhere, store
from evidence.measure import runs, timelines
from evidence.paths import DATA
from evidence.studies import (
    broken_queue,
    command,
    hangs,
    programs,
    runners,
    survivors,
)

#: The type of a file of `data/`, or of the files of a folder; its docstring says what
#: they hold, to the readers of llms.txt and of the schema.
MEASURED: dict[str, type[Struct]] = {
    "runs": runs.Runs,
    "timelines": timelines.Timeline,
    "studies/broken_queue": broken_queue.Queues,
    "studies/command": command.Sessions,
    "studies/hangs": hangs.Hangs,
    "studies/platforms": elsewhere.Platforms,
    "studies/programs": programs.Programs,
    "studies/runners": runners.Runners,
    "studies/survivors": survivors.Survivors,
}


def write(site: Path) -> None:
    """Copy all files, and write the schemas beside them."""
    shutil.copytree(DATA, site / "data", dirs_exist_ok=True)
    for name, kind in MEASURED.items():
        path = site / f"data/{name}.schema.json"
        store.write(path, msgspec.json.schema(kind), depth=3)


def files() -> dict[str, str]:
    """Return the path of each file within the site, with what it holds."""
    found = {}
    for name, kind in MEASURED.items():
        what = inspect.getdoc(kind) or ""
        if (DATA / f"{name}.json").exists():
            found[f"data/{name}.json"] = what
        found[f"data/{name}.schema.json"] = f"The JSON Schema of that. {what}"
    return found
