"""Run a module of Python that builds something."""

import os
import subprocess
import sys
from pathlib import Path

#: Seconds for one build.
_DEADLINE = 600


def run(name: str, *arguments: str | Path, folder: Path, **variables: str) -> None:
    """Run a module in a folder; if it fails, raise an error with its output.

    The variables are added to the environment.
    """
    environment = os.environ | variables
    # Without this variable hatchling gives all files the same time, which never varies.
    environment.pop("SOURCE_DATE_EPOCH", None)
    ran = subprocess.run(
        [sys.executable, "-m", name, *arguments],
        cwd=folder,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=_DEADLINE,
    )
    if ran.returncode:
        raise RuntimeError(f"{name} failed:\n{ran.stdout}{ran.stderr}")
