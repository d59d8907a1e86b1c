"""Run all checks, each to its end; then name those that fail, and what mends them."""

import subprocess
import sys

#: The verbs of make that are checks, each with what mends it.
CHECKS = {
    "lint": "make format; the rest by hand, as ruff and codespell say above",
    "types": "correct the lines that mypy names above",
    "site": "correct the page or the nav that MkDocs warns of above",
    "zensical": "correct the page that Zensical names above",
    "test": "see the lines above that begin with check:",
}


def main(make: str) -> int:
    """Run one after the other: their output is read from top to bottom."""
    command = [make, "--no-print-directory"]
    failed = [
        name
        for name in CHECKS
        if subprocess.run([*command, name], check=False).returncode
    ]
    for name in failed:
        print(f"check: {name} fails (make {name}); mend it: {CHECKS[name]}")
    if not failed:
        print(f"check: all pass ({', '.join(CHECKS)})")
    return bool(failed)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1]))
    except KeyboardInterrupt:
        sys.exit("check: interrupted")
