"""Stops real programs with the library as it is installed, and writes down what it took."""

import hashlib
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from evidence.measure.interpreters import kernel
from evidence.paths import DATA, ROOT
from process_terminate import ExitStatus, _subreaper

OUTSIDE = ROOT / "tests" / "outside"
RECORD = DATA / "studies" / "programs.json"
PAGE = ROOT / "docs" / "guides" / "real_programs.md"
#: Seconds that a recipe may take, on a busy machine too.
_DEADLINE = 120
#: Where Debian keeps servers, and a user's PATH may not lead.
_SYSTEM = os.pathsep.join(["/usr/sbin", "/sbin"])


class UnavailableError(Exception):
    """Why a recipe cannot be run here."""


@dataclass(frozen=True)
class Program:
    """A program that a recipe stops."""

    title: str
    says: str
    """What the page says of it, below its code."""
    commands: tuple[str, ...] = ()
    """What must be installed."""
    version: tuple[str, ...] = ()
    """The command that says which version it is; `python` is the environment's."""


PROGRAMS = {
    "nginx": Program(
        "nginx",
        "A worker that gets `SIGTERM` closes its connections and exits, and so does the master.\n"
        "It needs `daemon off;`: as a daemon it is nobody's child, which is the next case.\n"
        "`SIGTERM` is nginx's fast shutdown; where requests in progress are to be answered first, send `SIGQUIT` yourself, wait, and call `stop_tree()` for what is left.",
        ("nginx",),
        ("nginx", "-v"),
    ),
    "nginx_daemon": Program(
        "nginx as a daemon",
        "The command returns when the daemon runs, and leaves no child to stop.\n"
        "[`no_orphans()`](../reference/no_orphans.md) ends it all the same, because the daemon was started inside the block; Linux only.",
        ("nginx",),
        ("nginx", "-v"),
    ),
    "redis": Program(
        "Redis",
        "Redis saves its data on `SIGTERM`, and then exits with 0.\n"
        "Give it the time to write all of it: the grace period ends as soon as Redis does.\n"
        "The two keys were read again after each start.",
        ("redis-server", "redis-cli"),
        ("redis-server", "--version"),
    ),
    "redis_killed": Program(
        "Redis, without a grace period",
        "The same with `stop(server, grace=0)`, which is `SIGKILL`: nothing was saved, and both keys were gone after the next start.",
        ("redis-server", "redis-cli"),
        ("redis-server", "--version"),
    ),
    "executor": Program(
        "A ProcessPoolExecutor",
        "The workers of a [`ProcessPoolExecutor`](../examples/pool/shut_down_an_executor.md) are children of the program, and would be orphans after its death.",
        (),
        ("python", "--version"),
    ),
    "gunicorn": Program(
        "Gunicorn",
        "Gunicorn's master starts a worker anew that has ended, and such a worker is ended, too.\n"
        "A worker may take `graceful_timeout` for its requests, 30 seconds unless it is set: the grace period is longer than that.",
        (),
        ("python", "-m", "gunicorn", "--version"),
    ),
    "uvicorn": Program(
        "Uvicorn",
        "With `--workers` Uvicorn is a supervisor, with workers of `multiprocessing` and its resource tracker.\n"
        "The supervisor waits up to 5 seconds (`--timeout-worker-healthcheck`) for a sign of life from a worker, and one that has just ended gives none: the grace period is longer than that.",
        (),
        ("python", "-m", "uvicorn", "--version"),
    ),
    "pipeline": Program(
        "A pipeline in a shell",
        "`shell.kill()` [would end the shell alone](../examples/family/kill_a_shell.md).",
        ("sh", "yes", "gzip", "cat"),
        ("gzip", "--version"),
    ),
    "npm": Program(
        "A server that npm has started",
        "npm starts a shell, and the shell starts the server: the server is a grandchild of npm.",
        ("npm", "node"),
        ("npm", "--version"),
    ),
}


@contextmanager
def environment() -> Iterator[Path]:
    """A virtual environment with the wheel of the library; its Python."""
    with tempfile.TemporaryDirectory(prefix="outside-") as name:
        folder = Path(name)
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
        options = ["--no-deps", "--no-build-isolation", "--quiet"]
        _must([*pip, "wheel", *options, "--wheel-dir", folder, ROOT])
        _must([sys.executable, "-m", "venv", "--without-pip", folder / "venv"])
        python = folder / "venv" / "bin" / "python"
        (wheel,) = folder.glob("*.whl")
        wanted: list[str | Path] = ["-r", OUTSIDE / "requirements.txt", wheel]
        _must([*pip, "--python", str(python), "install", "--quiet", *wanted])
        yield python


def _must(command: list[str | Path]) -> None:
    """Run a command; raise with its words if it fails."""
    ended = subprocess.run(
        command, env=clean_environment(), check=False, capture_output=True, text=True
    )
    if ended.returncode:
        raise UnavailableError(ended.stderr.strip().splitlines()[-1])


def clean_environment() -> dict[str, str]:
    """This environment, without what would lead Python to the project."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    return kept | {"PATH": os.pathsep.join([kept.get("PATH", ""), _SYSTEM])}


def why_not(name: str) -> str | None:
    """Why a recipe cannot be run here; None if it can."""
    if not _subreaper.AVAILABLE:
        return "looks for what is left as child subreaper, on Linux"
    path = clean_environment()["PATH"]
    missing = [c for c in PROGRAMS[name].commands if not shutil.which(c, path=path)]
    return f"not installed: {', '.join(missing)}" if missing else None


def run(name: str, python: Path) -> dict[str, Any]:
    """Run a recipe; what its calls of the library found, did, and left.

    This process is child subreaper for the time: whatever the program has started,
    and however it hides, it comes here when its parent dies.
    """
    before = set(psutil.Process().children(recursive=True))
    was_set = _subreaper.is_set()
    _subreaper.switch(True)
    try:
        with _folder() as folder:
            try:
                ended = subprocess.run(
                    [python, OUTSIDE / "run.py", name, folder, str(free_port())],
                    cwd=folder,
                    env=clean_environment(),
                    check=False,
                    capture_output=True,
                    text=True,
                    timeout=_DEADLINE,
                )
            finally:
                left = _end_the_rest(before)
    finally:
        _subreaper.switch(was_set)
    if ended.returncode:
        raise RuntimeError(f"{name}: {ended.stdout[-500:]}{ended.stderr[-3000:]}")
    said: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return said | {"left": left}


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder with the files of the recipes."""
    with tempfile.TemporaryDirectory(prefix="outside-") as name:
        folder = Path(name)
        shutil.copytree(OUTSIDE / "files", folder, dirs_exist_ok=True)
        yield folder


def free_port() -> int:
    """A port of the loopback interface that nobody listens to."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _end_the_rest(before: set[psutil.Process]) -> list[str]:
    """Kill and reap what has come here; the names of those that were alive."""
    left: list[str] = []
    while new := set(psutil.Process().children(recursive=True)) - before:
        for process in new:
            with_name = process.as_dict(["name", "status"])
            if with_name["status"] != psutil.STATUS_ZOMBIE:
                left.append(with_name["name"])
                process.kill()
        psutil.wait_procs(new, timeout=10)
    return left


def record(runs: int, report: Callable[[str], None]) -> None:
    """Run each recipe so many times, and write down what it took."""
    found = {}
    with environment() as python:
        ask = [str(python), "-c", "import psutil; print(psutil.__version__)"]
        psutils = subprocess.check_output(
            ask, env=clean_environment(), text=True
        ).strip()
        for name in PROGRAMS:
            if reason := why_not(name):
                raise UnavailableError(f"{name}: {reason}")
            found[name] = {
                "version": version(name, python),
                "runs": [
                    {k: v for k, v in run(name, python).items() if k != "library"}
                    for _ in range(runs)
                ],
            }
            report(f"{name}: {found[name]['version']}")
    data = {
        "python": platform.python_version(),
        "psutil": psutils,
        "kernel": kernel(),
        "date": datetime.now(UTC).date().isoformat(),
        "source": source_hash(),
        "programs": found,
    }
    RECORD.write_text(json.dumps(data, indent=1) + "\n", "utf-8")


def version(name: str, python: Path) -> str:
    """What a program says of its version: its first number with points."""
    first, *rest = PROGRAMS[name].version
    command = [str(python) if first == "python" else first, *rest]
    said = subprocess.run(
        command, env=clean_environment(), check=True, capture_output=True, text=True
    )
    words = (said.stdout + said.stderr).replace("/", " ").replace("=", " ").split()
    return next(
        w.lstrip("v").rstrip(",)") for w in words if w.lstrip("v")[:1].isdigit()
    )


def source_hash() -> str:
    """What the recipes and their files were when they were run."""
    files = sorted(p for p in (OUTSIDE / "files").rglob("*") if p.is_file())
    text = b"".join(path.read_bytes() for path in [OUTSIDE / "programs.py", *files])
    return hashlib.sha256(text).hexdigest()


def render() -> str:
    """The page that shows the record."""
    data = json.loads(RECORD.read_text("utf-8"))
    found = data["programs"]
    return _TEMPLATE.format(
        **data | {"programs": None},
        rows="\n".join(_row(name, found[name]) for name in PROGRAMS),
        runs=min(len(program["runs"]) for program in found.values()),
        sections="\n\n".join(_section(name) for name in PROGRAMS),
    )


def _row(name: str, found: dict[str, Any]) -> str:
    calls = [run["calls"][0] for run in found["runs"]]
    alive = sum(len(call["alive"]) for run in found["runs"] for call in run["calls"])
    left = alive + sum(len(run["left"]) for run in found["runs"])
    title = PROGRAMS[name].title
    anchor = title.lower().replace(" ", "-").replace(",", "")
    longest = max(call["seconds"] for call in calls)
    cells = [
        f"[{title}](#{anchor}) {found['version']}",
        _families(calls),
        _ends(calls),
        f"{longest:.2f}",
        f"{left}",
    ]
    return f"| {' | '.join(cells)} |"


def _families(calls: list[dict[str, Any]]) -> str:
    """How many processes there were, in the fewest and the most cases."""
    counts = sorted({len(call["found"]) for call in calls})
    return " to ".join(str(count) for count in dict.fromkeys([counts[0], counts[-1]]))


def _ends(calls: list[dict[str, Any]]) -> str:
    """How each program ended, where the caller can know; else its last signal."""
    ends = {
        (end["name"].split()[0], end["by"], end["code"])
        for call in calls
        for end in call["ended"]
    }
    if not ends:
        return "not told: the block returns nothing"
    names: dict[str, list[str]] = {}
    for name, by, code in sorted(ends, key=lambda end: (end[2] is None, end)):
        names.setdefault(_end(by, code), []).append(f"`{name}`")
    return "; ".join(f"{', '.join(who)}: {how}" for how, who in names.items())


def _end(by: str, code: int | None) -> str:
    """What is known of one end."""
    if code is None:
        return f"`{by}`, end not known"
    status = ExitStatus(code)
    if status.killed:
        return f"killed by `{status.signal_name}`"
    return f"`{by}`, exit code {code}"


def _section(name: str) -> str:
    program = PROGRAMS[name]
    return (
        f"## {program.title}\n\n"
        f'```python title="tests/outside/programs.py"\n'
        f'--8<-- "tests/outside/programs.py:{name}"\n'
        f"```\n\n{program.says}"
    )


_TEMPLATE = """\
---
title: Stop real programs
description: "How to stop nginx, Redis, Gunicorn, Uvicorn, a ProcessPoolExecutor, a shell pipeline and npm from Python: each recipe was run, and nothing was left."
---

# Stop real programs

[`stop_tree()`](../reference/stop_tree.md) for a program that has workers, [`stop()`](../reference/stop.md) for one that has none, and a grace period as long as the program may need to finish.
Each recipe of this page was run {runs} times, with the library installed from its wheel, and afterwards nothing that it had started was alive.

| Program | Processes | How they ended | Seconds, at most | Left |
|---|---|---|---|---|
{rows}

How a process has ended is known to its parent only: where the end is not known, the cell names the last signal that was sent, and the process was the child of another one.
`no_orphans()` and `stop_tree()` find processes by parenthood; what was left was looked for by another process, to which Linux gives all orphans of the run.

In the recipes `until()` waits for a condition, `answers()` asks a server for a page, `count()` counts the descendants of a process, and `says()` returns what a command prints; they are in `tests/outside/programs.py`, and the files that the programs read are beside it.

{sections}

## Pitfalls

- A grace period that is too short is [a `SIGKILL` in the middle of the work](#redis-without-a-grace-period): it costs nothing to be long, because the wait ends with the process.
- `terminate()` of the first process alone leaves the rest to its good will: [npm](#a-server-that-npm-has-started), [a shell](../examples/family/kill_a_shell.md) or a supervisor that is killed has no time to end its children.
- A program that became a daemon is [no descendant](../examples/family/escape_from_a_tree.md); start it in the foreground, or inside `no_orphans()`.

Measured on {date} with CPython {python} and psutil {psutil} on {kernel}; [the record](../evidence/programs.json).
Repeat it with `python -m evidence programs`; the recipes are in `tests/outside/`, and `make outside` runs them as tests.

## See also

- [Stop a process with all its children](stop_a_tree.md), [end a command started with subprocess](subprocess.md)
- [Stop a Python program in a container](containers.md)
- [Who survives the end of a tree](../evidence/survivors.md)
"""
