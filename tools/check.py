"""Run all checks to their end, then name each that failed and how to fix it."""

import subprocess
import sys

#: Seconds for one target.
DEADLINE = 3 * 3600
#: The targets of make that are checks, each with its fix.
CHECKS = {
    "lint": "make format, or correct what ruff, codespell or zizmor name above",
    "types": "correct the lines that mypy names above",
    "site": "correct the page or the nav that MkDocs warns of above",
    "zensical": "correct the page that Zensical names above",
    "pidfds": "correct what the test names above, which ran without pidfds",
    "coverage": "see the lines above that begin with check:, or test the lines that "
    "the table names",
}


def main(make: str) -> int:
    """Run one after the other, so that their output reads from top to bottom."""
    command = [make, "--no-print-directory"]
    failed = [
        name
        for name in CHECKS
        if subprocess.run([*command, name], timeout=DEADLINE, check=False).returncode
    ]
    for name in failed:
        print(f"check: {name} failed (make {name}); fix: {CHECKS[name]}")
    if not failed:
        print(f"check: all passed ({', '.join(CHECKS)})")
    return bool(failed)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1]))
    except KeyboardInterrupt:
        sys.exit("check: interrupted")
