"""Records what the processes of an example do: the events behind its timeline."""

import ast
import hashlib
import json
import os
import re
import selectors
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from evidence.examples import START_METHODS, Example
from evidence.measure import interpreters, leftovers
from evidence.measure.interpreters import Interpreter
from evidence.measure.run import command_of, environment
from evidence.paths import DATA, ROOT

FOLDER = DATA / "timelines"
SCHEMA = ROOT / "docs" / "evidence" / "timelines.schema.json"
TRACER = Path(__file__).parent / "tracer"
#: Milliseconds that make a call of the example worth telling.
LONG = 250
#: Runs with patience, until one holds.
_TRIES = 2
#: Letters of a call that are told at most.
LONGEST = 60
#: Seconds that a run may take.
DEADLINE = 20.0
#: Seconds to watch those that outlive the main process.
AFTER = 3.0
#: Calls that end the process that makes them: told as what they do.
_DEADLY = {"kill", "killpg", "raise_signal", "noting_raise", "noting_pidfd_send"}
#: Calls that wait for a process to be ready, mostly, or not at all.
_DULL = {"noting_start", "recv", "send", "__init__"}
#: What multiprocessing joins at the end of a process.
_AT_EXIT = {
    "join": "the join of a child at exit",
    "_finalize_join": "the join of a queue's thread",
}

Event = dict[str, Any]


def path_of(example: Example) -> Path:
    """Where the events of an example are kept."""
    return FOLDER / f"{example.name}.json"


def sha256() -> str:
    """What tells this tracer from others: its events may differ."""
    files = (Path(__file__), TRACER / "sitecustomize.py")
    text = "".join(file.read_text("utf-8") for file in files)
    return hashlib.sha256(text.encode()).hexdigest()


def is_of(example: Example) -> bool:
    """Whether the events are of the example as it is, by the tracer as it is."""
    path = path_of(example)
    if not path.exists():
        return False
    data = json.loads(path.read_text("utf-8"))
    return (data["sha256"], data.get("tracer")) == (example.sha256, sha256())


def forget(all_but: set[str]) -> None:
    """Remove the events of examples that are gone."""
    for path in FOLDER.glob("*/*.json"):
        if path.relative_to(FOLDER).with_suffix("").as_posix() not in all_but:
            path.unlink()


def check(data: dict[str, Any]) -> None:
    """Raise ValidationError if these are not events as the schema describes them."""
    schema = json.loads(SCHEMA.read_text("utf-8"))
    Draft202012Validator(schema).validate(data)


def record(example: Example, interpreter: Interpreter) -> None:
    """Trace an example under each start method, and write its events down."""
    methods = sorted(interpreter.methods_for(example), key=_fork_first)
    data = {
        "example": example.name,
        "sha256": example.sha256,
        "tracer": sha256(),
        "python": interpreter.language,
        "kernel": interpreters.kernel(),
        "date": datetime.now(UTC).date().isoformat(),
        "methods": {
            method: _traced(example, method, interpreter.executable)
            for method in methods
        },
    }
    check(data)
    path = path_of(example)
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = json.dumps(data, indent=1)
    # One line an event.
    lines = re.sub(r"\n {4,}", " ", lines).replace("\n   }", " }")
    path.write_text(lines + "\n", "utf-8")


def _traced(example: Example, method: str, python: str) -> list[Event]:
    """A run that held: one may not, on busy cores, or if it is about a signal's haste."""
    for _ in range(_TRIES):
        with suppress(RuntimeError, TimeoutError):
            return trace(example, method, python)
    return trace(example, method, python, patience=0)


def _fork_first(method: str) -> int:
    return START_METHODS.index(method) if method != "own" else 0


def trace(
    example: Example, method: str, python: str = sys.executable, patience: float = 0.05
) -> list[Event]:
    """Run an example, and tell what its processes did, in order.

    Before a signal its receiver gets so many seconds to come to rest.
    This process is their subreaper meanwhile: it stands for init.
    """
    chosen = None if method == "own" else method
    with (
        tempfile.TemporaryDirectory() as folder,
        interpreters.packages() as packages,
        tempfile.TemporaryFile() as output,
        tempfile.TemporaryFile() as errors,
        leftovers.ended(),
    ):
        notes = Path(folder) / "notes"
        notes.touch()
        environ = environment() | {
            "PYTHONPATH": os.pathsep.join(map(str, (TRACER, packages))),
            "TRACED_EXAMPLE": str(example.path),
            "TRACED_NOTES": str(notes),
            "TRACED_PATIENCE": str(patience),
        }
        watch = _Watch(notes)
        main = subprocess.Popen(
            command_of(example.path, python=python, start_method=chosen),
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
        )
        watch.follow(main)
        errors.seek(0)
        output.seek(0)
        printed = output.read().decode().splitlines()
        if main.returncode or (text := errors.read().decode()):
            text = text if not main.returncode else f"exit {main.returncode}"
            raise RuntimeError(f"{example.name}, {method}: {text}")
        if sorted(printed) != sorted(example.output):
            raise RuntimeError(f"{example.name}, {method}: printed {printed}")
    return _Teller(watch, main.pid, example).told()


class _Watch:
    """Gathers the notes of traced processes, and sees each of them die.

    What is no Python notes nothing: its children are looked for, again and again.
    """

    def __init__(self, notes: Path) -> None:
        self.events: list[Event] = []
        #: The commands of the processes that were found, not told of.
        self.commands: dict[int, list[str]] = {}
        self._notes = notes.open()
        self._half = ""
        self._known = _children(os.getpid())
        self._alive: set[int] = set()
        self._parents: dict[int, int] = {}
        #: The dead that are not reaped, as far as is known, and their parents.
        self._zombies: dict[int, int] = {}
        #: Those that note what they do.
        self._noting: set[int] = set()
        self._selector = selectors.DefaultSelector()

    def follow(self, main: subprocess.Popen[bytes]) -> None:
        """Watch until all are dead, and the main process for certain."""
        end = time.monotonic() + DEADLINE
        self._meet(main.pid)
        try:
            while main.pid in self._alive:
                self._look(main.pid)
                if time.monotonic() > end:
                    raise TimeoutError(f"still running after {DEADLINE} s")
            main.wait()
            end = time.monotonic() + AFTER
            while self._alive and time.monotonic() < end:
                self._look(main.pid)
            self._read()
        finally:
            for key in list(self._selector.get_map().values()):
                os.close(key.fd)
            self._selector.close()
            self._notes.close()

    def _look(self, main: int) -> None:
        for key, _ in self._selector.select(0.001):
            self._see_death(key.data, key.fd)
        self._see_reaping(main)
        self._read()
        self._find()

    def _read(self) -> None:
        *lines, self._half = (self._half + self._notes.read()).split("\n")
        for line in lines:
            event = json.loads(line)
            self.events.append(event)
            self._noting.add(event["pid"])
            self._meet(event["pid"])
            if event["kind"] == "reap":
                self._zombies.pop(event["child"], None)
            if event["kind"] == "fork":
                child = event["child"]
                if self.commands.pop(child, None) is not None:
                    # It was found before its parent had noted it.
                    self.events = [e for e in self.events if e.get("found") != child]
                self._meet(child)
                self._parents[child] = event["pid"]

    def _find(self) -> None:
        """Meet the children that nobody notes: of other programs, and orphans."""
        for parent in [os.getpid(), *self._alive]:
            for pid in _children(parent) - self._known:
                self._read()  # It may be in the notes by now.
                if pid in self._known:
                    continue
                self._meet(pid)
                self._parents[pid] = parent
                self.commands[pid] = _comm(pid)
                if parent == os.getpid() or parent in self._noting:
                    self._note("adopt", pid, by=parent, found=pid)
                else:
                    self._note("fork", parent, child=pid, found=pid)
        for pid in self._alive & set(self.commands):
            # It has its parent's command, until it has its own.
            self.commands[pid] = _command(pid) or self.commands[pid]

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

    def _see_death(self, pid: int, fd: int) -> None:
        self._note("die", pid, code=_exit_code(pid))
        self._selector.unregister(fd)
        os.close(fd)
        self._alive.discard(pid)
        self._zombies[pid] = _parent(pid) or self._parents.get(pid, 0)
        for orphan in sorted(self._alive):
            parent = _parent(orphan)
            if parent and self._parents.get(orphan) == pid != parent:
                self._parents[orphan] = parent
                self._note("adopt", orphan, by=parent)

    def _see_reaping(self, main: int) -> None:
        """Reap the orphans, and see who is reaped by what notes nothing."""
        for pid, known in list(self._zombies.items()):
            parent = _parent(pid)
            if parent == os.getpid() and pid != main:
                with suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)
                self._note("reap", 0, child=pid)
            elif parent is None and known in self._alive - self._noting:
                self._note("reap", known, child=pid)
            elif parent is not None:
                self._zombies[pid] = parent
                continue
            del self._zombies[pid]

    def _note(self, kind: str, pid: int, **more: object) -> None:
        event = {"at": time.monotonic_ns(), "kind": kind, "pid": pid}
        self.events.append(event | more)


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on; none if it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _children(pid: int) -> set[int]:
    """The children of a process, of its first thread."""
    try:
        return set(
            map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
        )
    except OSError:
        return set()


def _command(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text("utf-8").split("\0")[:-1]
    except OSError:
        return []


def _comm(pid: int) -> list[str]:
    """The name of a process, which a zombie has, too."""
    try:
        return [Path(f"/proc/{pid}/comm").read_text("utf-8").strip()]
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


class _Calls:
    """What the calls look like in the source of an example, and its cleanup."""

    def __init__(self, source: str) -> None:
        self._by_end: dict[tuple[int | None, int | None], str] = {}
        self._by_line: dict[int, str] = {}
        self._finally: list[range] = []
        for node in ast.walk(ast.parse(source)):
            match node:
                case ast.Call():
                    place = node.end_lineno, node.end_col_offset
                    self._by_end[place] = ast.unparse(node)
                case ast.With():
                    text = ast.unparse(node.items[0].context_expr)
                    self._by_line[node.lineno] = f"with {text}"
                case ast.Try(finalbody=[first, *_]):
                    last = node.finalbody[-1]
                    end = (last.end_lineno or last.lineno) + 1
                    self._finally.append(range(first.lineno, end))

    def text(self, call: Event) -> str | None:
        """A call in the words of the source; None if it is none."""
        if call["where"] is None:
            return _AT_EXIT[call["name"]]
        line, last, _, column = call["where"]
        match call["name"]:
            case "__enter__":
                return self._by_line.get(line)
            case "__exit__":
                text = self._by_line.get(line)
                return text and f"the end of {text}"
        return self._by_end.get((last, column))

    def finally_of(self, call: Event) -> range | None:
        """The lines of the finally block that a call stands in."""
        line = (call["where"] or [0])[0]
        return next((block for block in self._finally if line in block), None)


class _Teller:
    """Makes events of notes: in order, with names, in milliseconds."""

    def __init__(self, watch: _Watch, main: int, example: Example) -> None:
        self._events = watch.events
        self._main = main
        self._put_in_order()
        self._names = _names(watch, main)
        # Before its first note an interpreter may have been a shell that starts it.
        self._start = next(e["at"] for e in self._events if e["kind"] == "start")
        self._source = _Calls(example.source)
        #: The finally blocks that threads are in.
        self._blocks: dict[tuple[int, int], range | None] = {}
        self._returns: dict[tuple[int, int, int], int] = {}
        self._next: dict[tuple[int, int, int], int] = {}
        self._codes: dict[int, int | None] = {}
        self._askers: dict[int, int] = {}
        last: dict[tuple[int, int], int] = {}
        for event in self._events:
            match event:
                case {"kind": "call", "pid": pid, "tid": tid, "at": at}:
                    if (pid, tid) in last:
                        self._next[pid, tid, last[pid, tid]] = at
                    last[pid, tid] = at
                case {"kind": "return", "pid": pid, "tid": tid, "began": began}:
                    self._returns[pid, tid, began] = event["at"]
                case {"kind": "die", "pid": pid, "code": code}:
                    self._codes.setdefault(pid, code)
                case {"kind": "reap", "child": child, "code": code}:
                    self._codes[child] = code
                case {"kind": "ask", "child": child, "pid": pid}:
                    self._askers[child] = pid

    def _put_in_order(self) -> None:
        """A death was seen late, or not at all, if its parent was faster."""
        died = {e["pid"] for e in self._events if e["kind"] == "die"}
        reaped = {e["child"]: e for e in self._events if e["kind"] == "reap"}
        for pid in set(reaped) - died:
            self._events.append({"at": reaped[pid]["at"], "kind": "die", "pid": pid})
        for event in self._events:
            if event["kind"] == "die" and event["pid"] in reaped:
                event["at"] = min(event["at"], reaped[event["pid"]]["at"] - 1)
        self._events.sort(key=lambda event: event["at"])

    def told(self) -> list[Event]:
        """The events, without what is of the servers of multiprocessing only."""
        told: list[Event] = []
        over = False
        early = {
            e["child"]
            for e in self._events
            if e["at"] < self._start and e["kind"] == "fork"
        }
        for event in self._events:
            if {event["pid"], event.get("child")} & early:
                continue
            match event["kind"]:
                case "ask" | "run" | "start" | "return":
                    continue
                case "call":
                    told += self._cleanup(event)
                    one = self._call(event)
                case _:
                    one = self._one(event)
            server = "forkserver" in (one["who"], one.get("child")) if one else False
            if one is None or (server and (over or one["what"] == "adopt")):
                continue  # The server ends by itself when main is gone.
            over |= event["kind"] == "die" and event["pid"] == self._main
            told.append(one)
        zero = told[0]["ms"]
        return [event | {"ms": round(event["ms"] - zero, 1)} for event in told]

    def _head(self, event: Event, what: str) -> Event | None:
        who = self._names.get(event["pid"])
        ms = round((event["at"] - self._start) / 1e6, 1)
        return {"ms": ms, "what": what, "who": who} if who else None

    def _one(self, event: Event) -> Event | None:
        one = self._head(event, event["kind"])
        if one is None:
            return None
        for key in ("child", "to", "by"):
            if isinstance(event.get(key), int):
                if event[key] not in self._names:
                    return None  # The resource tracker.
                one[key] = self._names[event[key]]
        if event["kind"] == "die":
            one["code"] = self._codes.get(event["pid"])
        if event["kind"] == "fork":
            asker = self._askers.get(event["child"])
            if asker not in (None, event["pid"]) and asker in self._names:
                one["asker"] = self._names[asker]
        for key in ("text", "signal", "action", "dead", "group", "by"):
            if key in event and key not in one:
                one[key] = event[key]
        return one

    def _cleanup(self, call: Event) -> list[Event]:
        """The first call in a finally block tells that it runs."""
        thread = call["pid"], call["tid"]
        block = self._source.finally_of(call)
        before, self._blocks[thread] = self._blocks.get(thread), block
        if block in (None, before):
            return []
        one = self._head(call, "cleanup")
        return [one | {"by": "finally"}] if one else []

    def _call(self, call: Event) -> Event | None:
        """A call that took long, was interrupted, or never returned."""
        key = call["pid"], call["tid"], call["at"]
        returned = self._returns.get(key)
        end = returned or self._events[-1]["at"]
        took = (end - call["at"]) / 1e6
        if returned is None:
            code = self._codes.get(call["pid"])
            worth = code is not None and code < 0 and call["name"] not in _DEADLY
        else:
            worth = took >= LONG
        handled = any(
            e["kind"] == "handled"
            and e["pid"] == call["pid"]
            and call["at"] < e["at"] < end
            for e in self._events
        )
        nested = self._next.get(key, end) < end
        text = self._source.text(call)
        one = self._head(call, "call")
        dull = returned and (call["name"] in _DULL or call["name"][0].isupper())
        if one is None or text is None or dull:
            return None
        if not handled and (nested or not worth):
            return None
        text = text if len(text) <= LONGEST else text[:LONGEST] + "..."
        return one | {"call": text, "took": returned and round(took, 1)}


def _names(watch: _Watch, main: int) -> dict[int, str]:
    """What to call each process; the resource tracker is left out."""
    found = {0: "init", os.getpid(): "init", main: "main"}
    events = watch.events
    start = next(e["at"] for e in events if e["kind"] == "start")
    for event in events:
        if event["at"] < start:
            continue
        if event["kind"] == "fork":
            argv = watch.commands.get(event["child"]) or event.get("argv", [])
            found.setdefault(event["child"], _program(argv))
        elif event["kind"] == "adopt" and "found" in event:
            argv = watch.commands.get(event["pid"], [])
            found.setdefault(event["pid"], _program(argv))
        elif event["kind"] in ("run", "ask"):
            found[event["child"]] = _role(event)
    hidden = {pid for pid, name in found.items() if name == "resource tracker"}
    counts = Counter(name for pid, name in found.items() if pid not in hidden)
    numbers: Counter[str] = Counter()
    for pid, name in found.items():
        if counts[name] > 1 and name != "init":
            numbers[name] += 1
            found[pid] = f"{name} {numbers[name]}"
    return {pid: name for pid, name in found.items() if pid not in hidden}


def _role(event: Event) -> str:
    """The function that a process runs, or what it is of multiprocessing."""
    target, module = event["target"], event["module"]
    if module in _ROLES:
        return _ROLES[module]
    return str(
        target or re.sub("^(Fork|Spawn|ForkServer)(?=[A-Z])", "", event["class"])
    )


#: The processes of multiprocessing, by the modules of what they run.
_ROLES = {
    "multiprocessing.pool": "pool worker",
    "multiprocessing.managers": "manager",
    "concurrent.futures.process": "executor worker",
}


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
    name = Path(argv[0]).name if argv else "child"
    return "python" if name.startswith(("python", "pypy")) else name
