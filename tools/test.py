"""Runs the tests, in as many processes as make good use of the cores.

pytest-xdist would be the usual way. Its workers have threads: `fork` warns of them,
and `stop_tree()` adopts no orphans beside them, so they would test something else.
"""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import IO

#: The tests wait more than they compute.
SHARES = 3 * (os.cpu_count() or 1)
SHM = "/dev/shm"  # noqa: S108 - tempfile makes a folder of its own in it.
#: Bytes that the temporary files of a run fit in: a share takes 10 MB.
ROOM = SHARES * 64 * 1024**2
#: pytest's exit status for a share that has nothing to do.
NO_TESTS = 5


def main() -> int:
    """Run all shares; the output of those that fail, and one line of the others."""
    with ExitStack() as stack:
        outputs = [stack.enter_context(tempfile.TemporaryFile()) for _ in range(SHARES)]
        # They start Python hundreds of times: it compiles what it can keep only once.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        # All temporary files go with it: a killed process cannot remove its own.
        temporary = tempfile.TemporaryDirectory(
            prefix="test-", dir=in_memory(), ignore_cleanup_errors=True
        )
        os.environ["TMPDIR"] = stack.enter_context(temporary)
        # What all shares need is made once, by the first of them.
        os.environ["TESTS_SHARE"] = os.environ["TMPDIR"]
        shares = [start(number, output) for number, output in enumerate(outputs, 1)]
        try:
            statuses = [
                report(number, share, output)
                for number, (share, output) in enumerate(
                    zip(shares, outputs, strict=True), 1
                )
            ]
        except KeyboardInterrupt:
            return interrupt(shares)
        for line in sorted(set(failing_checks(outputs))):
            print(line)
    ran = [status for status in statuses if status != NO_TESTS]
    if not ran:
        print("test: no test is chosen by these arguments")
    return max(ran, default=NO_TESTS)


def in_memory() -> str | None:
    """A folder in memory, if there is one with room that may hold programs.

    The tests copy the project often: a tenth of the time that a disk takes.
    """
    if sys.platform != "linux" or not os.access(SHM, os.W_OK):
        return None
    found = os.statvfs(SHM)
    roomy = found.f_bavail * found.f_frsize > ROOM
    return SHM if roomy and not found.f_flag & os.ST_NOEXEC else None


def start(number: int, output: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start the tests of a share."""
    if number == 1:
        options = ["-m", "browser"]  # In one share: each would start a Chromium.
    else:
        # By name, so that a slow file is spread over all shares.
        options = ["-m", "not browser", "--splitting-algorithm", "least_duration"]
        options += ["--splits", str(SHARES - 1), "--group", str(number - 1)]
    if sys.platform == "win32":
        options += ["-o", "timeout_method=thread"]  # It has no SIGALRM.
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options]
    return subprocess.Popen(
        [*command, *sys.argv[1:]], stdout=output, stderr=subprocess.STDOUT
    )


def report(number: int, share: subprocess.Popen[bytes], output: IO[bytes]) -> int:
    """Wait for a share, and show how it went, unless it had nothing to do."""
    status = share.wait()
    if status == NO_TESTS:
        return status
    output.seek(0)
    text = output.read().decode(errors="replace")
    shown = text if status else text.rstrip().rpartition("\n")[2]
    print(f"share {number} of {SHARES}: {shown}", flush=True)
    return abs(status)


def failing_checks(outputs: Sequence[IO[bytes]]) -> Iterator[str]:
    """The lines that name a check and what mends it: in all shares, once more."""
    for output in outputs:
        output.seek(0)
        lines = output.read().decode(errors="replace").splitlines()
        yield from (line for line in lines if line.startswith("check: "))


def interrupt(shares: list[subprocess.Popen[bytes]]) -> int:
    """Let all end what they have started; a terminal has told them already."""
    for share in shares:
        if share.poll() is None:
            share.send_signal(signal.SIGINT)
    for share in shares:
        share.wait()
    print("test: interrupted")
    return 130


if __name__ == "__main__":
    sys.exit(main())
