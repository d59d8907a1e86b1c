"""Records what the processes of an example do: the events behind its timeline."""

import json
import os
import platform
import re
import selectors
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from evidence import examples, leftovers
from evidence.examples import ROOT, Example
from evidence.run import DEADLINE, command_of, environment

FOLDER = ROOT / "docs" / "evidence" / "timelines"
TRACER = Path(__file__).parent / "tracer"

Event = dict[str, Any]


def path_of(example: Example) -> Path:
    """Where the events of an example are kept."""
    return FOLDER / f"{example.name}.json"


def is_of(example: Example) -> bool:
    """Whether the events are of the example as it is."""
    path = path_of(example)
    if not path.exists():
        return False
    sha256 = json.loads(path.read_text("utf-8"))["sha256"]
    return bool(sha256 == example.sha256)


def forget(all_but: set[str]) -> None:
    """Remove the events of examples that are gone."""
    for path in FOLDER.glob("*/*.json"):
        if path.relative_to(FOLDER).with_suffix("").as_posix() not in all_but:
            path.unlink()


def record(example: Example) -> None:
    """Trace an example under each start method, and write its events down."""
    methods = list(examples.start_methods()) if example.follows_the_default else ["own"]
    data = {
        "example": example.name,
        "sha256": example.sha256,
        "python": platform.python_version(),
        "kernel": f"{platform.system()} {platform.release()}",
        "date": datetime.now(UTC).date().isoformat(),
        "methods": {method: trace(example, method) for method in methods},
    }
    path = path_of(example)
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = json.dumps(data, indent=1)
    # One line an event.
    lines = re.sub(r"\n {4,}", " ", lines).replace("\n   }", " }")
    path.write_text(lines + "\n", "utf-8")


def trace(example: Example, method: str) -> list[Event]:
    """Run an example, and tell what its processes did, in order.

    This process is their subreaper meanwhile: it stands for init.
    """
    chosen = None if method == "own" else method
    with tempfile.TemporaryDirectory() as folder, leftovers.ended():
        notes = Path(folder) / "notes"
        notes.touch()
        environ = environment() | {
            "PYTHONPATH": str(TRACER),
            "TRACED_EXAMPLE": str(example.path),
            "TRACED_NOTES": str(notes),
        }
        watch = _Watch(notes)
        with tempfile.TemporaryFile() as errors:
            main = subprocess.Popen(
                command_of(example.path, start_method=chosen),
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
            )
            watch.follow(main)
            errors.seek(0)
            if main.returncode or (text := errors.read().decode()):
                text = text if not main.returncode else f"exit {main.returncode}"
                raise RuntimeError(f"{example.name}, {method}: {text}")
    return _told(watch.events, main.pid, example)


class _Watch:
    """Gathers the notes of traced processes, and sees each of them die."""

    def __init__(self, notes: Path) -> None:
        self.events: list[Event] = []
        self._notes = notes.open()
        self._half = ""
        self._known: set[int] = set()
        self._alive: set[int] = set()
        self._orphans: set[int] = set()
        self._selector = selectors.DefaultSelector()

    def follow(self, main: subprocess.Popen[bytes]) -> None:
        """Watch until the main process is dead."""
        end = time.monotonic() + DEADLINE
        self._meet(main.pid)
        try:
            while main.pid in self._alive:
                for key, _ in self._selector.select(0.001):
                    self._see_death(key.data, key.fd, main.pid)
                self._read()
                if time.monotonic() > end:
                    raise TimeoutError(f"still running after {DEADLINE} s")
            main.wait()
            self._read()
        finally:
            for key in list(self._selector.get_map().values()):
                os.close(key.fd)
            self._selector.close()
            self._notes.close()

    def _read(self) -> None:
        *lines, self._half = (self._half + self._notes.read()).split("\n")
        for line in lines:
            event = json.loads(line)
            self.events.append(event)
            self._meet(event["pid"])
            if event["kind"] == "fork":
                self._meet(event["child"])

    def _meet(self, pid: int) -> None:
        """Begin to wait for the death of a process."""
        if pid in self._known:
            return
        self._known.add(pid)
        try:
            fd = os.pidfd_open(pid)
        except ProcessLookupError:
            return
        self._alive.add(pid)
        self._selector.register(fd, selectors.EVENT_READ, pid)

    def _see_death(self, pid: int, fd: int, main: int) -> None:
        self._note("die", pid, code=_exit_code(pid))
        self._selector.unregister(fd)
        os.close(fd)
        self._alive.discard(pid)
        if pid in self._orphans:
            os.waitpid(pid, os.WNOHANG)
            self._note("reap", 0, child=pid)
        for orphan in sorted(self._alive - self._orphans - {main}):
            if _parent(orphan) == os.getpid():
                self._orphans.add(orphan)
                self._note("adopt", orphan)

    def _note(self, kind: str, pid: int, **more: object) -> None:
        event = {"at": time.monotonic_ns(), "kind": kind, "pid": pid}
        self.events.append(event | more)


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on; none if it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _parent(pid: int) -> int | None:
    fields = _stat(pid)
    return int(fields[1]) if fields else None


def _exit_code(pid: int) -> int | None:
    """How a zombie ended; None if it is reaped already."""
    fields = _stat(pid)
    if not fields or fields[0] not in "ZX":
        return None
    return os.waitstatus_to_exitcode(int(fields[-1]))


def _told(events: list[Event], main: int, example: Example) -> list[Event]:
    """The events in order: names for pids, milliseconds since the start."""
    reaped = {
        event["child"]: event["at"] for event in events if event["kind"] == "reap"
    }
    for event in events:
        if event["kind"] == "die":  # Seen late: its parent was faster.
            latest = reaped.get(event["pid"], event["at"] + 1) - 1
            event["at"] = min(event["at"], latest)
    events.sort(key=lambda event: event["at"])
    codes = {
        e["child"]: e["code"] for e in events if e["kind"] == "reap" and "code" in e
    }
    names = _names(events, main, example)
    start = next(e["at"] for e in events if e["pid"] == main)
    told: list[Event] = []
    for event in events:
        one = {"ms": round((event["at"] - start) / 1e6, 1), "what": event["kind"]}
        one["who"] = names.get(event["pid"])
        for key in ("child", "to"):
            if key in event:
                one[key] = names.get(event[key])
        if event["kind"] == "adopt" and one["who"] == "forkserver":
            continue  # It ends by itself when main is gone.
        if None in one.values() or event["kind"] in ("run", "start"):
            continue  # Of the resource tracker, or what only tells names.
        if event["kind"] == "die":
            code = event["code"]
            one["code"] = codes.get(event["pid"]) if code is None else code
        for key in ("text", "signal", "action", "dead"):
            if key in event:
                one[key] = event[key]
        told.append(one)
    return told


def _names(events: list[Event], main: int, example: Example) -> dict[int, str]:
    """What to call each process; the resource tracker is left out."""
    found = {0: "init", main: "main"}
    hidden = set()
    for event in events:
        kind, pid = event["kind"], event["pid"]
        if kind == "fork":
            name = _program(event.get("argv", []))
            if name == "resource tracker":
                hidden.add(event["child"])
            found.setdefault(event["child"], name)
        elif kind == "run" and pid != main:
            found[pid] = _role(event, example)
    counts = Counter(found.values())
    numbers: Counter[str] = Counter()
    for pid, name in found.items():
        if counts[name] > 1:
            numbers[name] += 1
            found[pid] = f"{name} {numbers[name]}"
    return {pid: name for pid, name in found.items() if pid not in hidden}


def _role(event: Event, example: Example) -> str:
    """The function that a process runs, if it is the example's own."""
    target = event["target"]
    if target and f"def {target}(" in example.source:
        return str(target)
    return re.sub("^(Fork|Spawn|ForkServer)(?=[A-Z])", "", event["name"])


def _program(argv: list[str]) -> str:
    """What a command is called."""
    line = " ".join(argv)
    for word, name in (
        ("resource_tracker", "resource tracker"),
        ("forkserver", "forkserver"),
        ("spawn_main", "child"),
    ):
        if word in line:
            return name
    if not argv:
        return "child"
    return "python" if argv[0] == sys.executable else Path(argv[0]).name
