"""Change the library in random places, one at a time: do its tests notice?

`tools/mutants.py [COUNT [PATTERN]]` lets mutmut try COUNT mutants, 60 by default, in
a copy below mutants/. Of the mutants that live, `mutmut show NAME` shows the change.
"""

import os
import random
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

from evidence.measure import leftovers

ROOT = Path(__file__).resolve().parents[1]
#: Seconds for one step of mutmut.
DEADLINE = 24 * 3600
# Child processes of the tests must import the mutants as well.
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT / "mutants/src")}


def main(count: str = "60", pattern: str = "*") -> None:
    """Choose mutants, run the tests on each, and print those that live."""
    mutmut("run", "none", check=False)  # Only makes the mutants.
    estimates = mutmut("print-time-estimates")
    names = [line.split()[-1] for line in estimates.splitlines() if "__mutmut_" in line]
    names = [name for name in names if fnmatch(name, pattern)]
    chosen = random.sample(names, min(int(count), len(names)))
    # A mutant may leave processes: they end here.
    with leftovers.ended():
        mutmut("run", "--max-children", "2", *chosen)
    results = [line.split() for line in mutmut("results", "--all", "true").splitlines()]
    living = [
        r for r in results if r and r[0].strip(":") in chosen and r[-1] != "killed"
    ]
    for name, *result in living:
        print(name, *result)
    print(f"mutants: {len(chosen) - len(living)} of {len(chosen)} killed")


def mutmut(*arguments: str, check: bool = True) -> str:
    """Run mutmut; return its output, or exit with it."""
    command = [sys.executable, "-m", "mutmut", *arguments]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=ENVIRONMENT,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=DEADLINE,
    )
    if check and done.returncode:
        sys.exit(f"mutants: mutmut failed:\n{done.stdout[-3000:]}")
    return done.stdout


if __name__ == "__main__":
    main(*sys.argv[1:])
