"""Change the library in random places, one at a time: do its tests notice?

`tools/mutants.py [COUNT [PATTERN [SEED]]]` tries COUNT changes, 60 by default, of the
files that match PATTERN, such as '*/_tree/*'. It prints whether a test noticed each.
With the SEED that another run has printed it tries the same changes.

A change may make the library kill what it must not, so the tests run in a pid
namespace of their own, which ends with all that is in it.
"""

import compileall
import os
import py_compile
import random
import shlex
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatch
from pathlib import Path
from queue import SimpleQueue

from attrs import evolve
from cosmic_ray.commands.init import init
from cosmic_ray.modules import find_modules
from cosmic_ray.mutating import mutate_and_test
from cosmic_ray.testing import run_tests
from cosmic_ray.work_db import use_db
from cosmic_ray.work_item import MutationSpec, TestOutcome

ROOT = Path(__file__).resolve().parents[1]
#: The tests wait for half of their time.
COPIES = 2 * (os.cpu_count() or 1)
#: What a copy needs to run the tests of the library.
PARTS = ("src", "tests", "examples", "docs", "pyproject.toml", "README.md")
LIBRARY = "src/process_terminate"
TESTS = "tests/library"
#: Seconds for the tests of one change. They take two minutes without any.
LIMIT = 400
#: The tests that should notice a change run first. Of several, the first counts.
FIRST = {
    "*/_command/*": "command",
    "*/_diagnose/*": "diagnosing",
    "*/_tree/*": "tree",
    "*/_no_orphans.py": "tree",
    "*/_stop_tree.py": "tree",
    "*/_exit_*": "processes",
    "*": "stopping",
}
#: The job objects of Windows are not tested here.
LEFT_OUT = "*/_tree/jobs.py"
#: `|` joins types in annotations far more often than it does anything else.
JOINS_TYPES = "core/ReplaceBinaryOperator_BitOr_*"


def main(count: str = "60", pattern: str = "*", seed: str = "") -> None:
    """Try the changes side by side, in some copies."""
    seed = seed or str(time.time_ns())
    random.seed(seed)
    print(f"mutants: seed {seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        roots = [copy(Path(folder, str(number))) for number in range(COPIES)]
        outcome, output = run_tests(command(roots[0], "*"), LIMIT)
        if outcome != TestOutcome.SURVIVED:
            sys.exit(f"mutants: without any change the tests fail:\n{output[-3000:]}")
        found = changes(roots[0], pattern)
        chosen = random.sample(found, min(int(count), len(found)))
        free: SimpleQueue[Path] = SimpleQueue()
        for root in roots:
            free.put(root)
        with ThreadPoolExecutor(len(roots)) as threads:
            noticed = sum(threads.map(lambda change: tried(free, change), chosen))
    print(f"mutants: {noticed} of {len(chosen)} noticed")


def copy(root: Path) -> Path:
    """Make a copy of the project that can be changed."""
    root.mkdir()
    for part in PARTS:
        if (ROOT / part).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / part, root / part, ignore=ignored)
        else:
            shutil.copy(ROOT / part, root / part)
    # Compiled once, as no change may write: hashes tell what has been changed.
    checked = py_compile.PycInvalidationMode.CHECKED_HASH
    compileall.compile_dir(root / LIBRARY, quiet=1, invalidation_mode=checked)
    return root


def changes(root: Path, pattern: str) -> list[MutationSpec]:
    """Return one change for each place that can be changed; paths are below `root`."""
    with use_db(str(root / "changes.sqlite")) as database:
        init(find_modules([root / LIBRARY]), database, {})
        found = [change for item in database.work_items for change in item.mutations]
    random.shuffle(found)
    places: dict[object, MutationSpec] = {}
    for change in found:
        path = change.module_path.relative_to(root)
        tested = fnmatch(str(path), pattern) and not fnmatch(str(path), LEFT_OUT)
        if tested and not fnmatch(change.operator_name, JOINS_TYPES):
            places[path, change.start_pos] = evolve(change, module_path=path)
    return list(places.values())


def tried(free: "SimpleQueue[Path]", change: MutationSpec) -> bool:
    """Make a change in a copy that is free; print and return whether a test notices it."""
    root = free.get_nowait()  # There are as many copies as threads.
    here = evolve(change, module_path=root / change.module_path)
    tests = command(root, str(change.module_path))
    try:
        result = mutate_and_test([here], tests, LIMIT)
    finally:
        free.put(root)
    verdict = "noticed" if result.is_killed else f"NOT NOTICED\n{result.diff}\n"
    line = change.start_pos[0]
    print(f"{change.module_path}:{line}: {change.operator_name}: {verdict}", flush=True)
    return bool(result.is_killed)


def command(root: Path, changed: str) -> str:
    """Return how to run the tests, those of the changed file first."""
    first = next(f for name, f in FIRST.items() if fnmatch(changed, name))
    options = ["-qx", "-p", "no:cacheprovider", "--no-header", "--tb=line"]
    pytest = [sys.executable, "-m", "pytest", *options, f"{TESTS}/{first}", TESTS]
    # Process 1 is a shell, and so is the parent: tests try to stop their ancestors.
    shell = ["sh", "-c", 'cd "$0"; ("$@"; exit "$?"); exit "$?"', str(root), *pytest]
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    inside = ["unshare", *user, "--pid", "--mount-proc", "--fork", "--kill-child"]
    return shlex.join(["env", f"PYTHONPATH={root}/src", *inside, *shell])


if __name__ == "__main__":
    main(*sys.argv[1:])
