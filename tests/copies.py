"""Programs in a folder, such as a copy of the project that a test can break."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from evidence.paths import copy_project

#: Seconds for a run of a few tests on a busy machine.
DEADLINE = 110


class Folder:
    """A folder in which a test writes files and runs programs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # Not the environment of the make and the pytest that run this test.
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if "MAKE" not in name and not name.startswith("PYTEST_")
        }

    def write(self, path: str, text: str) -> None:
        """Write a file."""
        (self.folder / path).write_text(text, "utf-8")

    def replace(self, path: str, old: str, new: str) -> None:
        """Change a file in one place, which must exist."""
        text = (self.folder / path).read_text("utf-8")
        assert old in text, f"{path} does not contain {old!r}"
        self.write(path, text.replace(old, new, 1))

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Start a command, as the leader of its own process group."""
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
        """Run a command; return its exit status and its output."""
        process = self.start(*command)
        output, _ = process.communicate(timeout=DEADLINE)
        return process.returncode, output


class Copy(Folder):
    """A copy of the project; conftest.py has the fixture `copy`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(copy_project(folder / "copy"))
        # Precedes the editable install of the original.
        self.environment["PYTHONPATH"] = str(self.folder / "src")

    def shrink(self, example: str) -> None:
        """Keep one example, and three pages with a title alone: they build faster."""
        # Nothing is embedded, so nothing is rendered.
        parts = "\n_PARTS = ("
        self.replace("src/evidence/render/__init__.py", parts, "\n_PARTS = () and (")
        for path in (self.folder / "docs").rglob("*.md"):
            path.unlink()
        for path in (self.folder / "examples").rglob("*.py"):
            if path != self.folder / example:
                path.unlink()
        # The finishing step needs these two beside the first page.
        pages = ["index.md", "glossary.md", example.replace(".py", ".md")]
        for name in pages:
            self.write(f"docs/{name}", "---\ndescription: A page.\n---\n\n# Title\n")
        settings = (self.folder / "mkdocs.yml").read_text("utf-8")
        before = settings.partition("\nnav:\n")[0]
        self.write("mkdocs.yml", f"{before}\nnav: {pages}\n")

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
