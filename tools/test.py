"""Run the tests in four runs of pytest, side by side.

The tests of the library count the children of their process, so they share it with
no browser. Tests marked `alone` need a process with one thread, which no worker of
pytest-xdist is. Arguments are passed to all: `make test ARGS="-k worker"`.
"""

import os
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from typing import IO

#: The tests wait more than they compute.
WORKERS = 2 * (os.cpu_count() or 1)
SHM = "/dev/shm"  # noqa: S108 - tempfile makes its own folder there.
#: Enough bytes for the temporary files of a run.
ROOM = WORKERS * 64 * 1024**2
NO_TESTS = 5  # pytest's exit status.
RUNS = (
    ["-m", "not (alone or browser or library)", "-n", str(WORKERS)],
    ["-m", "library and not alone", "-n", str(WORKERS)],
    ["-m", "browser"],
    ["-m", "alone"],
)


def main() -> int:
    """Run all; print the whole output of a failed run, the last line of the others."""
    with ExitStack() as stack:
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # Python starts 1,000 times.
        folder = tempfile.TemporaryDirectory(
            prefix="test-", dir=memory(), ignore_cleanup_errors=True
        )
        os.environ["TMPDIR"] = stack.enter_context(folder)
        outputs = [stack.enter_context(tempfile.TemporaryFile()) for _ in RUNS]
        runs = [start(*pair) for pair in zip(RUNS, outputs, strict=True)]
        try:
            statuses = [run.wait() for run in runs]
        except KeyboardInterrupt:
            interrupt(runs)
            return 130
        for status, output in zip(statuses, outputs, strict=True):
            output.seek(0)
            text = output.read().decode(errors="replace").rstrip()
            if status != NO_TESTS:
                print(text if status else text.rpartition("\n")[2])
    ran = [abs(status) for status in statuses if status != NO_TESTS]
    if not ran:
        print("test: these arguments choose no test")
    return max(ran, default=NO_TESTS)


def memory() -> str | None:
    """Return a folder in memory, if it has room and programs may run in it."""
    if sys.platform != "linux" or not os.access(SHM, os.W_OK):
        return None
    found = os.statvfs(SHM)
    roomy = found.f_bavail * found.f_frsize > ROOM
    return SHM if roomy and not found.f_flag & os.ST_NOEXEC else None


def start(options: list[str], output: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start pytest in its own process group, so that interrupt() reaches its workers."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"]
    return subprocess.Popen(
        [*command, *sys.argv[1:], *options],
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
        run.wait()
    print("test: interrupted")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
