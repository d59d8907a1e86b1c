"""Stop real programs with the library as it is installed, and write down what it took."""

import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec
import psutil
from msgspec import Struct

from evidence import installed, store
from evidence.measure import leftovers, workers
from evidence.paths import ROOT
from evidence.studies import study
from evidence.studies.study import Report, Study

PATH = study.FOLDER / "programs.json"
OUTSIDE = ROOT / "tests" / "outside"
_RECIPES = OUTSIDE / "programs.py"


class Program(Struct, frozen=True):
    """A program that a recipe stops."""

    title: str
    """Heading of its section in the guide."""
    commands: tuple[str, ...] = ()
    """What must be installed."""
    version: str = ""
    """The command that prints the version, if not the first one with `--version`;
    `python` is the environment's."""


_REDIS = ("redis-server", "redis-cli")
_FFMPEG = ("ffmpeg", "ffprobe")
#: By the names of the recipes in `tests/outside/programs.py`, in the guide's order.
PROGRAMS = {
    "nginx": Program("nginx", ("nginx",), "nginx -v"),
    "nginx_daemon": Program("nginx as a daemon", ("nginx",), "nginx -v"),
    "redis": Program("Redis", _REDIS),
    "redis_killed": Program("Redis, without a grace period", _REDIS),
    "executor": Program("A ProcessPoolExecutor", version="python --version"),
    "gunicorn": Program("Gunicorn", version="python -m gunicorn --version"),
    "uvicorn": Program("Uvicorn", version="python -m uvicorn --version"),
    "pipeline": Program("A pipeline in a shell", ("gzip", "sh", "yes", "cat")),
    "npm": Program("A server that npm has started", ("npm", "node")),
    "ffmpeg": Program("ffmpeg", _FFMPEG, "ffmpeg -version"),
    "ffmpeg_killed": Program(
        "ffmpeg, without a grace period", _FFMPEG, "ffmpeg -version"
    ),
    "chromedriver": Program(
        "Selenium: chromedriver and its browser", ("chromedriver", "chromium")
    ),
    "java": Program("Java", ("java",)),
}


class End(Struct):
    """How one process ended, as the library reports it."""

    name: str
    by: str | None
    """The last signal that was sent; None if the process was already dead."""
    code: int | None
    """Exit code; None if the library cannot know it."""


class Call(Struct):
    """What one call of the library found and did."""

    call: str
    grace: float
    seconds: float
    found: list[str]
    """Names of the processes before the call."""
    alive: list[str]
    """Names of those that were alive after it."""
    ended: list[End]


class Run(Struct):
    """One run of a recipe."""

    calls: list[Call]
    left: list[str]
    """Names of the processes that were alive after the run."""


class Runs(Struct):
    """The runs of one recipe."""

    version: str
    runs: list[Run]


class Programs(Study, kw_only=True):
    """What it took to stop real programs."""

    psutil: str
    hash: str
    """Of the recipes and their files."""
    programs: dict[str, Runs]


def why_not(name: str) -> str | None:
    """Return why a recipe cannot run here; None if it can."""
    if sys.platform != "linux":
        return "finds what is left as child subreaper, on Linux only"
    return installed.why_missing(PROGRAMS[name].commands)


def run(name: str, python: Path) -> Run:
    """Run a recipe in an environment; return what its calls found, did and left."""
    ((_, found),) = workers.run(_run, [(name, python)], 1)
    return found


def _run(task: tuple[str, Path]) -> Run:
    """Run a recipe in a worker.

    The worker is a child subreaper: each process that the recipe has started becomes
    its child when the parent dies, however it hides.
    """
    name, python = task
    leftovers.adopt_orphans()
    with tempfile.TemporaryDirectory(prefix="outside-") as folder:
        shutil.copytree(OUTSIDE / "files", folder, dirs_exist_ok=True)
        try:
            recipe = OUTSIDE / "run.py"
            ended = installed.run(
                [python, recipe, name, folder, str(free_port())], folder
            )
        finally:
            left = _kill_the_rest()
    if ended.returncode:
        raise RuntimeError(f"{name}: {ended.stdout[-500:]}{ended.stderr[-3000:]}")
    library, calls = msgspec.json.decode(
        ended.stdout.splitlines()[-1], type=tuple[str, list[Call]]
    )
    if not Path(library).is_relative_to(python.parents[1]):
        raise RuntimeError(f"{name} used {library} instead of the installed library")
    return Run(calls, left)


def free_port() -> int:
    """Return a port of the loopback interface that no process listens to."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _kill_the_rest() -> list[str]:
    """Kill and reap all descendants; return the names of those that were alive."""
    left: list[str] = []

    def find() -> Iterator[psutil.Process]:
        for process in psutil.Process().children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                if process.status() != psutil.STATUS_ZOMBIE:
                    left.append(process.name())
                yield process

    leftovers.kill_all(find)
    return left


def record(runs: int, report: Report) -> None:
    """Run each recipe so many times, and write down what it took."""
    for name in PROGRAMS:
        if reason := why_not(name):
            raise installed.UnavailableError(f"{name}: {reason}")
    with installed.environment() as python:
        data = Programs(
            **study.circumstances(),
            psutil=_said(
                [str(python), "-c", "import psutil; print(psutil.__version__)"]
            ),
            hash=source_hash(),
            programs={},
        )
        for name in PROGRAMS:
            found = [run(name, python) for _ in range(runs)]
            data.programs[name] = Runs(version(name, python), found)
            report(f"{name}: {data.programs[name].version}")
    store.write(PATH, data, depth=4)


def version(name: str, python: Path) -> str:
    """Return the version that a program prints: its first word with a digit first."""
    program = PROGRAMS[name]
    asked = program.version or f"{program.commands[0]} --version"
    first, *rest = asked.split()
    said = _said([str(python) if first == "python" else first, *rest])
    words = said.replace("/", " ").replace("=", " ").split()
    return next(
        w.lstrip("v").rstrip(",)") for w in words if w.lstrip("v")[:1].isdigit()
    )


def _said(command: list[str]) -> str:
    said = installed.run(command)
    said.check_returncode()
    return (said.stdout + said.stderr).strip()


def source_hash() -> str:
    """Return a hash of what runs in the recipes, and of their files."""
    files = sorted(p for p in (OUTSIDE / "files").rglob("*") if p.is_file())
    return study.hash_of([_RECIPES, *files])


def outdated(data: Programs) -> list[str]:
    """Return the recipes if the results are of other ones."""
    is_current = data.hash == source_hash() and list(data.programs) == list(PROGRAMS)
    return [] if is_current else [_RECIPES.name]


def load() -> Programs:
    """Return what was recorded."""
    return store.read(PATH, Programs)
