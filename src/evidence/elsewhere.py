"""Run the library's tests on another platform, and count those that passed."""

import os
import re
import subprocess
import sysconfig
import time
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from evidence import UserError, store
from evidence.measure import interpreters
from evidence.measure.interpreters import Interpreter
from evidence.measure.run import environment
from evidence.paths import DATA, PLATFORMS, ROOT
from process_terminate import no_orphans

PATH = DATA / "studies" / "platforms.json"
#: Seconds that the tests may take in an emulated machine.
_DEADLINE = 3600
_TESTS = Path("tests") / "library"
_COUNT = re.compile(r"(\d+) (passed|failed|skipped|errors?)")
_FAILED = re.compile(r"(?m)^(?:FAILED|ERROR) \S*?([\w.]+::.*?)(?: - .*)?$")


class Tests(Struct, omit_defaults=True):
    """What the tests of the library did on a platform."""

    python: str
    """Implementation and version."""
    platform: str
    """`Interpreter.layer`."""
    kernel: str
    date: str
    """YYYY-MM-DD."""
    seconds: int
    passed: int
    failed: int = 0
    skipped: int = 0
    names: list[str] = []
    """The tests that failed."""


class Platforms(Struct):
    """Which tests of the library pass on other platforms."""

    tests: dict[str, Tests] = {}
    """By `Interpreter.key`."""


def load() -> Platforms:
    """Return what was recorded; nothing if nothing was."""
    return store.read(PATH, Platforms) if PATH.exists() else Platforms()


def record(executable: str, names: list[str]) -> Tests:
    """Run the library's tests, or some of its files, and record those of all.

    Raises:
        UserError: If pytest does not end with a count.
    """
    with interpreters.packages() as packages:
        interpreter = interpreters.ask(executable, packages)
    started = time.monotonic()
    said = _run(executable, names)
    seconds = time.monotonic() - started
    *_, last = said.strip().splitlines() or [""]
    counts = {what.rstrip("s"): int(number) for number, what in _COUNT.findall(last)}
    if "passed" not in counts:
        raise UserError(f"{interpreter.key}: pytest ended with: {last}")
    found = Tests(
        python=f"{interpreter.implementation} {interpreter.version}",
        platform=interpreter.layer,
        kernel=interpreters.kernel(interpreter.kernel),
        date=datetime.now(UTC).date().isoformat(),
        seconds=round(seconds),
        passed=counts["passed"],
        failed=counts.get("failed", 0) + counts.get("error", 0),
        skipped=counts.get("skipped", 0),
        names=sorted(set(_FAILED.findall(said))),
    )
    if not names:
        _save(interpreter, found)
    return found


def _save(interpreter: Interpreter, found: Tests) -> None:
    recorded = load()
    recorded.tests[interpreter.key] = found
    recorded.tests = dict(sorted(recorded.tests.items()))
    store.write(PATH, recorded, depth=2)


def _run(executable: str, names: list[str]) -> str:
    """Return what pytest prints, which is also in a file beside the platforms."""
    own = PLATFORMS / Path(executable).name
    site = sysconfig.get_path("purelib")
    # Its own psutil comes first. The plugins of pytest here are for this Python only.
    paths = [own, ROOT / "src", ROOT / _TESTS, site]
    without_plugins = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    chosen = [str(_TESTS / name) for name in names] or [str(_TESTS)]
    options = [
        *("-v", "-rfE", "--tb=short", "-p", "no:cacheprovider", "-c", os.devnull),
        *("--rootdir", str(_TESTS), "--confcutdir", str(_TESTS)),
        *("--import-mode", "importlib"),
    ]
    PLATFORMS.mkdir(exist_ok=True)
    log = PLATFORMS / f"{Path(executable).name}.log"
    # After Ctrl-C, a program of a test could run on, and start others.
    with log.open("wb") as output, no_orphans(grace=1):
        subprocess.run(
            [executable, "-m", "pytest", *options, *chosen],
            check=False,
            cwd=ROOT,
            env=environment(os.pathsep.join(map(str, paths))) | without_plugins,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            timeout=_DEADLINE,
        )
    return log.read_text("utf-8", errors="replace")
