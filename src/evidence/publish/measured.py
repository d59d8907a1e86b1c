"""Publish what was measured: the files of `data/`, each with its JSON Schema."""

import shutil
from pathlib import Path
from typing import NamedTuple

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


class Measured(NamedTuple):
    """A file of `data/`, or a folder of files of one type."""

    kind: type[Struct]
    what: str
    """What it holds, as a sentence."""


MEASURED = {
    "runs": Measured(runs.Runs, "The results of an example."),
    "timelines": Measured(timelines.Timeline, "The events of one run."),
    "studies/broken_queue": Measured(
        broken_queue.Queues, "How often a queue breaks, run by run."
    ),
    "studies/command": Measured(command.Sessions, "What the command prints."),
    "studies/hangs": Measured(hangs.Hangs, "Why real programs hang."),
    "studies/platforms": Measured(
        elsewhere.Platforms, "Which tests of the library pass on other platforms."
    ),
    "studies/programs": Measured(
        programs.Programs, "What it took to stop real programs."
    ),
    "studies/runners": Measured(
        runners.Runners, "What timeout, tini and others leave of a tree."
    ),
    "studies/survivors": Measured(
        survivors.Survivors, "Which processes survive which way to stop a tree."
    ),
}


def write(site: Path) -> None:
    """Copy all files, and write the schemas beside them."""
    shutil.copytree(DATA, site / "data", dirs_exist_ok=True)
    for name, measured in MEASURED.items():
        path = site / f"data/{name}.schema.json"
        store.write(path, msgspec.json.schema(measured.kind), depth=3)


def files() -> dict[str, str]:
    """Return the path of each file within the site, with what it holds."""
    found = {}
    for name, (_, what) in MEASURED.items():
        if (DATA / f"{name}.json").exists():
            found[f"data/{name}.json"] = what
        found[f"data/{name}.schema.json"] = f"The JSON Schema of that. {what}"
    return found
