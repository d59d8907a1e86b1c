"""Writes the notes of a traced process: JSON, one line for each thing that it did."""

import json
import os
import time
from pathlib import Path

#: The file that all traced processes append to.
NOTES = os.environ["TRACED_NOTES"]


def note(kind: str, at: int | None = None, **more: object) -> None:
    """Append a note in one write.

    The descriptor is closed at once, so that no child inherits it.
    """
    pid = int(Path("/proc/self").readlink().name)  # Also in another PID namespace.
    line = {"at": at or time.monotonic_ns(), "kind": kind, "pid": pid, **more}
    fd = os.open(NOTES, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.write(fd, f"{json.dumps(line)}\n".encode())
    finally:
        os.close(fd)
