"""Run all checks to their end, then name each that failed and how to fix it."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

#: Seconds for one target.
DEADLINE = 3 * 3600
#: How many targets run at the same time: most of them use one processor. The last one
#: uses all, so it runs alone.
WIDTH = 2
#: The targets of make that are checks, each with its fix.
CHECKS = {
    "types": "correct the lines that mypy names above",
    "pidfds": "correct what the test names above, which ran without pidfds",
    "lint": "make format, or correct what ruff, codespell or zizmor name above",
    "coverage": "see the lines above that begin with check:, or test the lines that "
    "the table names",
}


def main(make: str) -> int:
    """Run all, and print the output of one after the other."""
    failed = []
    for name, (status, output) in zip(CHECKS, results(make), strict=True):
        print(output, end="", flush=True)
        if status:
            failed.append(name)
    for name in failed:
        print(f"check: {name} failed (make {name}); fix: {CHECKS[name]}")
    if not failed:
        print(f"check: all passed ({', '.join(CHECKS)})")
    return bool(failed)


def results(make: str) -> Iterator[tuple[int, str]]:
    """Run the targets; return the exit status and the output of each."""
    *first, last = CHECKS
    with ThreadPoolExecutor(WIDTH) as threads:
        yield from threads.map(partial(run, make), first)
    yield run(make, last)


def run(make: str, name: str) -> tuple[int, str]:
    """Run a target; return its exit status and what it printed."""
    ran = subprocess.run(
        [make, "--no-print-directory", name],
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=DEADLINE,
    )
    return ran.returncode, ran.stdout


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1]))
    except KeyboardInterrupt:
        sys.exit("check: interrupted")
