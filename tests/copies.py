"""A copy of the project that a test can break; conftest.py has the fixture `copy`."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from evidence.paths import ROOT

#: Seconds for a run of a few tests on a busy machine.
DEADLINE = 110
#: What git ignores in the root.
UNWANTED = {".git", ".venv", ".build", "site", "dist", "mutants", ".hypothesis"}
#: The beginning of a page.
PAGE = re.compile(r"(?P<metadata>(---\n(.+\n)*---\n)?)\s*(?P<title>(# .+)?)")


def unwanted(folder: str, names: list[str]) -> set[str]:
    """Return what a copy does not need of a folder."""
    everywhere = {n for n in names if n == "__pycache__" or n.endswith("_cache")}
    return everywhere | (UNWANTED if Path(folder) == ROOT else set())


class Copy:
    """A copy of the project."""

    def __init__(self, folder: Path) -> None:
        self.folder = shutil.copytree(ROOT, folder / "copy", ignore=unwanted)
        # Not the environment of the make and the pytest that run this test.
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if "MAKE" not in name and not name.startswith("PYTEST_")
        }
        # Precedes the editable install of the original.
        self.environment["PYTHONPATH"] = str(self.folder / "src")

    def write(self, path: str, text: str) -> None:
        """Write a file."""
        (self.folder / path).write_text(text, "utf-8")

    def replace(self, path: str, old: str, new: str) -> None:
        """Change a file in one place, which must exist."""
        text = (self.folder / path).read_text("utf-8")
        assert old in text, f"{path} does not contain {old!r}"
        self.write(path, text.replace(old, new, 1))

    def keep_titles(self) -> None:
        """Remove the text below the title of each page, so that the site builds faster."""
        for page in (self.folder / "docs").rglob("*.md"):
            found = PAGE.match(page.read_text("utf-8"))
            assert found
            text = f"{found['metadata']}\n{found['title'] or '# Title'}\n"
            page.write_text(text, "utf-8")

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Start a command in the copy, as the leader of its own process group."""
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *command: str) -> tuple[int, str]:
        """Run a command in the copy; return its exit status and its output."""
        process = self.start(*command)
        output, _ = process.communicate(timeout=DEADLINE)
        return process.returncode, output

    def test(self, *arguments: str) -> tuple[int, str]:
        """Run some of the copy's tests."""
        return self.run(
            sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments
        )

    def make(self, *arguments: str) -> tuple[int, str]:
        """Run a target of make with the tools that are installed here."""
        done = [f"--old-file={name}" for name in ("setup", "setup-check")]
        return self.run("make", *done, f"RUN={sys.executable}", *arguments)


def wait_until(condition: Callable[[], object]) -> None:
    """Wait until another process has made the condition true, or fail."""
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, "the deadline has passed"
        time.sleep(0.01)
