"""What the tests of the command line share."""

import functools
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import workers
from support import DEADLINE, IS_WINDOWS, completed, not_on_windows, succeeds

has_run = pytest.mark.skipif(sys.platform != "linux", reason="run needs Linux")
posix = functools.partial(
    pytest.param,
    marks=not_on_windows("no real-time signals; on Wine, no process 1 and no parent"),
)

#: A child that sleeps, without a shell.
SLEEP = workers.SLEEP if IS_WINDOWS else ["sleep", "60"]
COMMAND = [sys.executable, "-m", "process_terminate"]
#: A word of the shell that waits until a signal has been handled.
REST = "while :; do sleep 0.1; done"
#: macOS has none.
RTMIN, RTMAX = getattr(signal, "SIGRTMIN", 0), getattr(signal, "SIGRTMAX", 0)
#: Root without the right to signal others is like another user.
DROP = ["setpriv", "--bounding-set=-kill", "--inh-caps=-kill"]
#: Becomes another user.
OTHER = "setpriv --reuid=65534 --clear-groups"

as_another_user = pytest.mark.skipif(
    IS_WINDOWS or os.geteuid() != 0 or not succeeds(*DROP, *OTHER.split(), "true"),
    reason="only root can become another user by setpriv",
)


def call(
    *arguments: str, prefix: Sequence[str] = (), **options: Any
) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return completed(*prefix, *COMMAND, *arguments, **options)


def sh(
    script: str, *options: str, prefix: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    """Run a shell below `run`."""
    if sys.platform != "linux":
        pytest.skip("run needs Linux")
    return call("run", *options, "--", "/bin/sh", "-c", script, prefix=prefix)


def read(process: subprocess.Popen[str]) -> str:
    """Return all that a process prints until its end."""
    return process.communicate(timeout=DEADLINE)[0]


#: What a command leaves: it says when it is asked to end, but ends for a file alone.
#: If nothing kills it, it ends after a minute.
IGNORING = """
trap 'echo asked' TERM
echo $$ >"$1"
i=0
while [ $i -lt 1200 ]; do
    [ -e "$1.end" ] && echo ended && exit
    sleep 0.05
    i=$((i + 1))
done
"""


def leaving(file: Path) -> str:
    """Return a command that leaves a process, which writes its pid into a file."""
    script = file.with_suffix(".sh")
    script.write_text(IGNORING)
    up = f"until [ -s {file} ]; do sleep 0.01; done"
    return f"setsid sh {script} {file} & {up}; echo ready; exit 3"
