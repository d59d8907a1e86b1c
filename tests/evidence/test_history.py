"""The dates of the pages come from git, as far as it knows them."""

import subprocess
from pathlib import Path

import pytest

from evidence import history
from evidence.pages import Page


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with three commits on three days."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "--quiet")
    author = ["-c", "user.name=A Name", "-c", "user.email=name@example.org"]
    for number, name in enumerate(["old", "new", "new"], 1):
        day = f"2026-01-0{number}"
        (folder / name).write_text(day)
        git(folder, "add", ".")
        monkeypatch.setenv("GIT_COMMITTER_DATE", f"{day}T12:00:00Z")
        git(folder, *author, "commit", "--quiet", "--message", day)
    return folder


def git(folder: Path, *arguments: str) -> None:
    """Run git without the settings of this user."""
    subprocess.run(["git", "-C", folder, *arguments], check=True, timeout=60)


def test_change_is_that_of_the_newest_commit(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "ROOT", repository)
    assert history.changes() == {"old": "2026-01-01", "new": "2026-01-03"}


def test_shallow_clone_knows_only_the_changes_that_it_has(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for depth, known in ("1", {}), ("2", {"new": "2026-01-03"}):
        clone = tmp_path / depth
        git(tmp_path, "clone", "--quiet", "--depth", depth, repository.as_uri(), depth)
        monkeypatch.setattr(history, "ROOT", clone)
        assert history.changes() == known


def test_without_git_there_are_no_dates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "ROOT", tmp_path)
    assert history.changes() == {}  # The folder is no repository.
    monkeypatch.setenv("PATH", str(tmp_path))
    assert history.changes() == {}  # There is no git.


def test_page_changes_with_what_it_shows_and_documents() -> None:
    changed = {
        "docs/reference/stop.md": "2026-01-01",
        "src/process_terminate/_stop.py": "2026-01-02",
        "CHANGELOG.md": "2026-01-03",
        "docs/reference/kill.md": "2026-01-04",
    }
    assert history.last_change(Page("reference/stop.md"), changed) == "2026-01-02"
    assert history.last_change(Page("reference/kill.md"), changed) == "2026-01-04"
    page = Page("contributing/changelog.md")
    assert history.last_change(page, changed) == "2026-01-03"
    assert history.last_change(Page("decoder.md"), changed) is None
