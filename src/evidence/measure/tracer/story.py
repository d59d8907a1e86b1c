"""Turns the notes of a run into the events of a timeline."""

import ast
import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec import convert
from msgspec.structs import replace

from evidence.measure.timelines import Adopt, Call, Cleanup, Die, Event
from evidence.measure.tracer.watch import Note, Watch

#: Notes that name processes or end calls, but are no events.
_NO_EVENTS = {"ask", "run", "start", "return"}
#: What an event takes from its note as it is, and what it takes as a process.
_FACTS = ("text", "signal", "action", "dead", "group", "by")
_PROCESSES = ("child", "to", "by")
#: Milliseconds that make a call of the example an event.
LONG = 250
#: Characters of a call that are kept.
LONGEST = 60
#: Calls that kill the process that makes them: the signal is an event already.
_DEADLY = {"kill", "killpg", "raise_signal", "noting_raise", "noting_pidfd_send"}
#: Calls that are no event if they return: mostly they wait for a process to be ready.
_DULL = {"noting_start", "recv", "send", "__init__"}
#: What multiprocessing waits for when a process exits.
_AT_EXIT = {
    "join": "the join of a child at exit",
    "_finalize_join": "the join of a queue's thread",
}
#: The processes of multiprocessing, by the modules of what they run.
_ROLES = {
    "multiprocessing.pool": "pool worker",
    "multiprocessing.managers": "manager",
    "concurrent.futures.process": "executor worker",
}
#: Programs of multiprocessing, by a word in their commands.
_PROGRAMS = {
    "resource_tracker": "resource tracker",
    "forkserver": "forkserver",
    "spawn_main": "child",
}


def tell(watch: Watch, main: int, source: str) -> list[Event]:
    """Return the events of a run, in order, with times since the first one.

    The servers of multiprocessing are left out where they act for themselves.
    """
    events = list(_Story(watch, main, source).events())
    zero = events[0].ms
    return [replace(event, ms=round(event.ms - zero, 1)) for event in events]


class _Story:
    """The notes of a run, in order, and what they say about each other."""

    def __init__(self, watch: Watch, main: int, source: str) -> None:
        self._notes = _in_order(watch.notes)
        self._main = main
        # Before its first note an interpreter may have been a shell that starts it.
        self._start = next(n["at"] for n in self._notes if n["kind"] == "start")
        later = [note for note in self._notes if note["at"] >= self._start]
        self._names = _names(later, watch.commands, main)
        self._source = _Source(source)
        #: The finally blocks that threads are in.
        self._blocks: dict[tuple[int, int], range | None] = {}
        self._returns: dict[tuple[int, int, int], int] = {}
        self._next: dict[tuple[int, int, int], int] = {}
        self._codes: dict[int, int | None] = {}
        self._askers: dict[int, int] = {}
        last: dict[tuple[int, int], int] = {}
        for note in self._notes:
            match note:
                case {"kind": "call", "pid": pid, "tid": tid, "at": at}:
                    if (pid, tid) in last:
                        self._next[pid, tid, last[pid, tid]] = at
                    last[pid, tid] = at
                case {"kind": "return", "pid": pid, "tid": tid, "began": began}:
                    self._returns[pid, tid, began] = note["at"]
                case {"kind": "die", "pid": pid, "code": code}:
                    self._codes.setdefault(pid, code)
                case {"kind": "reap", "child": child, "code": code}:
                    self._codes[child] = code
                case {"kind": "ask", "child": child, "pid": pid}:
                    self._askers[child] = pid

    def events(self) -> Iterator[Event]:
        """Yield the events, with times since the main process started."""
        over = False
        for note in self._notes:
            pids = {note.get(key) for key in ("pid", *_PROCESSES)}
            if not {p for p in pids if isinstance(p, int)} <= self._names.keys():
                continue
            if note["kind"] in _NO_EVENTS:
                continue
            is_call = note["kind"] == "call"
            for event in self._calls(note) if is_call else [self._event(note)]:
                # The server exits by itself when the main process is gone.
                is_late = over or isinstance(event, Adopt)
                if is_late and "forkserver" in event.processes:
                    continue
                over |= isinstance(event, Die) and note["pid"] == self._main
                yield event

    def _head(self, note: Note) -> dict[str, Any]:
        """Return what each event has."""
        ms = (note["at"] - self._start) / 1e6
        return {"ms": ms, "who": self._names[note["pid"]]}

    def _event(self, note: Note) -> Event:
        """Return the event of a note."""
        event = {"what": note["kind"]} | self._head(note)
        event |= {key: note[key] for key in _FACTS if key in note}
        for key in _PROCESSES:
            if note.get(key) in self._names:
                event[key] = self._names[note[key]]
        if note["kind"] == "die":
            event["code"] = self._codes.get(note["pid"])
        if note["kind"] == "fork":
            asker = self._askers.get(note["child"])
            if asker and asker != note["pid"]:
                event["asker"] = self._names.get(asker)
        converted: Event = convert(event, Event)
        return converted

    def _calls(self, note: Note) -> Iterator[Event]:
        """Yield the events of a call: its finally block and itself, or neither."""
        head = self._head(note)
        if self._enters_finally(note):
            yield Cleanup(**head, by="finally")
        if text := self._call(note):
            returned = self._returned(note)
            took = returned and round((returned - note["at"]) / 1e6, 1)
            yield Call(**head, call=text, took=took)

    def _enters_finally(self, call: Note) -> bool:
        """Return whether a call is the first one of a finally block."""
        thread = call["pid"], call["tid"]
        block = self._source.finally_of(call)
        before, self._blocks[thread] = self._blocks.get(thread), block
        return block not in (None, before)

    def _returned(self, call: Note) -> int | None:
        return self._returns.get((call["pid"], call["tid"], call["at"]))

    def _call(self, call: Note) -> str | None:
        """Return the text of a call; None if it is no event.

        It is one if it took long, was interrupted by a handler, or never returned.
        """
        text = self._source.text(call)
        returned = self._returned(call)
        name = call["name"]
        is_dull = name in _DULL or name[0].isupper()
        if text is None or (returned and is_dull):
            return None
        end = returned or self._notes[-1]["at"]
        is_handled = any(
            note["kind"] == "handled"
            and note["pid"] == call["pid"]
            and call["at"] < note["at"] < end
            for note in self._notes
        )
        if returned:
            is_event = returned - call["at"] >= LONG * 1e6
        else:
            code = self._codes.get(call["pid"])
            is_event = code is not None and code < 0 and name not in _DEADLY
        following = self._next.get((call["pid"], call["tid"], call["at"]), end)
        if not is_handled and (following < end or not is_event):
            return None
        return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


class _Source:
    """The calls and the finally blocks in the source of an example."""

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

    def text(self, call: Note) -> str | None:
        """Return the source of a call; None if it has none."""
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

    def finally_of(self, call: Note) -> range | None:
        """Return the lines of the finally block that a call stands in."""
        line = (call["where"] or [0])[0]
        return next((block for block in self._finally if line in block), None)


def _in_order(notes: list[Note]) -> list[Note]:
    """Return the notes by time, with each death before its reaping.

    A death was seen late, or not at all if the parent was faster.
    """
    died = {note["pid"] for note in notes if note["kind"] == "die"}
    reaped = {note["child"]: note["at"] for note in notes if note["kind"] == "reap"}
    unseen = reaped.keys() - died
    notes = notes + [{"at": reaped[p], "kind": "die", "pid": p} for p in unseen]
    for note in notes:
        if note["kind"] == "die" and note["pid"] in reaped:
            note["at"] = min(note["at"], reaped[note["pid"]] - 1)
    return sorted(notes, key=lambda note: note["at"])


def _names(
    notes: list[Note], commands: dict[int, list[str]], main: int
) -> dict[int, str]:
    """Return what to call each process, without the resource tracker."""
    found = {0: "init", os.getpid(): "init", main: "main"}
    for note in notes:
        match note:
            case {"kind": "fork", "child": pid}:
                command = commands.get(pid) or note.get("argv", [])
                found.setdefault(pid, _program(command))
            case {"kind": "adopt", "found": pid}:
                found.setdefault(pid, _program(commands.get(pid, [])))
            case {"kind": "run" | "ask", "child": pid}:
                found[pid] = _role(note)
    named = {pid: name for pid, name in found.items() if name != "resource tracker"}
    counts = Counter(named.values())
    numbers: Counter[str] = Counter()
    for pid, name in named.items():
        if counts[name] > 1 and name != "init":
            numbers[name] += 1
            named[pid] = f"{name} {numbers[name]}"
    return named


def _role(note: Note) -> str:
    """Return the function that a process runs, or its role in multiprocessing."""
    if role := _ROLES.get(note["module"]):
        return role
    name: str = note["target"] or note["class"]
    return re.sub("^(Fork|Spawn|ForkServer)(?=Process$)", "", name)


def _program(command: list[str]) -> str:
    """Return what to call a program."""
    line = " ".join(command)
    for word, name in _PROGRAMS.items():
        if word in line:
            return name
    name = Path(command[0]).name if command else "child"
    return "python" if name.startswith(("python", "pypy")) else name
