"""Run the tests in five runs of pytest, side by side.

The tests of the library count the children of their process, so they share it with
no browser. Tests marked `alone` need a process with one thread, which no worker of
pytest-xdist is. Arguments are passed to all: `make test ARGS="-k worker"`.
`--coverage` comes first: it measures the lines that the library's tests reach.
"""

import os
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import IO, NamedTuple

#: Each of them spends seconds on imports; the runs beside it use its waits.
WORKERS = 1 + (os.cpu_count() or 1)
SHM = "/dev/shm"  # noqa: S108 - tempfile makes its own folder there.
#: Enough bytes for the temporary files of a run.
ROOM = WORKERS * 64 * 1024**2
#: Seconds after which something is wrong, although each test has a limit of its own.
DEADLINE = 3600
#: Per cent of the lines and branches of the library that its tests must reach. What a
#: killed program has reached is sometimes lost, so it is not 100: the runs of November
#: 2026 reached 99.6 to 99.9, of some 6,000.
LEAST = 99.5
NO_TESTS = 5  # pytest's exit status.


class Run(NamedTuple):
    """The folders of tests for one run of pytest, and the options for it."""

    folders: list[str]
    options: list[str]

    def tests(self, arguments: list[str]) -> list[str] | None:
        """Return the arguments for this run; None if they name tests of other runs."""
        named = [a for a in arguments if Path(a.partition("::")[0]).exists()]
        others = [a for a in arguments if a not in named]
        here = [
            a for a in named if any(Path(a).is_relative_to(f) for f in self.folders)
        ]
        wider = [
            f for f in self.folders if any(Path(f).is_relative_to(a) for a in named)
        ]
        chosen = [*here, *wider] if named else self.folders
        return [*others, *self.options, *chosen] if chosen else None


# Tests that share what is slow to make are in a group, which has one worker.
SHARED = ["-m", "not alone", "-n", str(WORKERS), "--dist", "loadgroup"]
RUNS = (
    Run(["tests/examples", "tests/site", "tests/evidence"], SHARED),
    Run(["tests/library"], SHARED),
    Run(["tests/library"], ["-m", "alone"]),
    Run(["tests/examples", "tests/site", "tests/evidence"], ["-m", "alone"]),
    # One worker, alone at the end, would leave a processor idle.
    Run(["tests/browser"], ["-n", "2", "--dist", "worksteal"]),
)


def main(*arguments: str) -> int:
    """Run all; print the whole output of a failed run, the last line of the others."""
    measured = arguments[:1] == ("--coverage",)
    arguments = arguments[measured:]
    with ExitStack() as stack:
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # Python starts 1,000 times.
        folder = stack.enter_context(
            tempfile.TemporaryDirectory(
                prefix="test-", dir=memory(), ignore_cleanup_errors=True
            )
        )
        os.environ["TMPDIR"] = folder
        # The first run that needs a built site builds it for all.
        os.environ["SITES"] = folder
        runs: list[tuple[subprocess.Popen[bytes], IO[bytes]]] = []
        for number, run in enumerate(RUNS):
            tests = run.tests(list(arguments))
            if tests is not None:
                output: IO[bytes] = stack.enter_context(tempfile.TemporaryFile())
                environment = os.environ.copy()
                if measured and run.folders == ["tests/library"]:
                    tests += ["--cov", "--cov-report="]
                    environment["COVERAGE_FILE"] = f"{folder}/.coverage.{number}"
                runs.append((start(tests, output, environment), output))
        try:
            statuses = [process.wait(DEADLINE) for process, _ in runs]
        except (KeyboardInterrupt, subprocess.TimeoutExpired):
            interrupt([process for process, _ in runs])
            return 130
        for status, (_, output) in zip(statuses, runs, strict=True):
            output.seek(0)
            text = output.read().decode(errors="replace").rstrip()
            if status != NO_TESTS:
                print(text if status else text.rpartition("\n")[2])
        ran = [abs(status) for status in statuses if status != NO_TESTS]
        if not ran:
            print("test: these arguments choose no test")
        return max(ran, default=NO_TESTS) or (measured and uncovered(folder))


def memory() -> str | None:
    """Return a folder in memory, if it has room and programs may run in it."""
    if sys.platform != "linux" or not os.access(SHM, os.W_OK):
        return None
    found = os.statvfs(SHM)
    roomy = found.f_bavail * found.f_frsize > ROOM
    return SHM if roomy and not found.f_flag & os.ST_NOEXEC else None


def start(
    tests: list[str], output: IO[bytes], environment: dict[str, str]
) -> subprocess.Popen[bytes]:
    """Start pytest in its own process group, so that interrupt() reaches its workers."""
    # The second takes a third of a second to import, in each worker.
    plugins = ["-p", "no:cacheprovider", "-p", "no:benchmark"]
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", *plugins, *tests],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        process_group=None if sys.platform == "win32" else 0,
    )


def interrupt(runs: list[subprocess.Popen[bytes]]) -> None:
    """Send SIGINT to all processes of the runs, and wait until they have cleaned up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for run in runs:
        if run.poll() is None and sys.platform != "win32":
            os.killpg(run.pid, signal.SIGINT)
    for run in runs:
        run.wait(DEADLINE)
    print("test: interrupted")


def uncovered(folder: str) -> int:
    """Print the lines and branches that no test of the library reached."""
    coverage = [sys.executable, "-m", "coverage"]
    data = f"--data-file={folder}/.coverage"
    subprocess.run(
        [*coverage, "combine", "--quiet", data, folder], timeout=DEADLINE, check=True
    )
    report = subprocess.run(
        [*coverage, "report", data, f"--fail-under={LEAST}"],
        timeout=DEADLINE,
        check=False,
    )
    return report.returncode


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main(*sys.argv[1:]))
