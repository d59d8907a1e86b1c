"""Reads what Linux tells about a process: see proc(5)."""

from pathlib import Path


def read(pid: int | str, name: str) -> str:
    """Return the text of a file in /proc/PID; empty if the process is gone."""
    try:
        return Path(f"/proc/{pid}/{name}").read_text("utf-8", "replace")
    except OSError:
        return ""


def stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat from the state on; none if it is gone."""
    return read(pid, "stat").rpartition(")")[2].split()
