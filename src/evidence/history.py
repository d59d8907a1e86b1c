"""Read from git when each page was last changed."""

import inspect
import pkgutil
import re
import subprocess
from pathlib import Path

from evidence.pages import Page, snippets
from evidence.paths import DOCS, ROOT

_DOCUMENTS = re.compile(r"(?m)^::: (\S+)")


def changes() -> dict[str, str]:
    """Return the day of the last commit to each file, as far as git knows it."""
    try:
        log = _git("log", "--format=%x00%cs %P", "--name-only")
        shallow = _git("rev-parse", "--is-shallow-repository").strip() == "true"
    except (OSError, subprocess.SubprocessError):
        return {}
    changed: dict[str, str] = {}
    for commit in log.split("\0")[1:]:
        head, *names = commit.split("\n")
        date, *parents = head.split()
        if shallow and not parents:
            continue  # Where a shallow clone begins, git lists all files as changed.
        for name in filter(None, names):
            changed.setdefault(name, date)  # The first one is the newest.
    return changed


def last_change(page: Page, changed: dict[str, str]) -> str | None:
    """Return the day of the last change of what a page shows, as YYYY-MM-DD."""
    names = (path.relative_to(ROOT).as_posix() for path in _sources(page))
    return max((changed[name] for name in names if name in changed), default=None)


def _sources(page: Page) -> list[Path]:
    """Return the file of a page, and the files that it embeds or documents."""
    found = [DOCS / page.path]
    found += [ROOT / name.partition(":")[0] for name in snippets(page.body)]
    for name in _DOCUMENTS.findall(page.body):
        documented = inspect.unwrap(pkgutil.resolve_name(name))
        if inspect.isroutine(documented) or inspect.isclass(documented):
            found.append(Path(inspect.getfile(documented)))
    return [path for path in found if path.is_relative_to(ROOT)]


def _git(*arguments: str) -> str:
    return subprocess.check_output(
        ["git", *arguments], cwd=ROOT, text=True, stderr=subprocess.DEVNULL, timeout=60
    )
