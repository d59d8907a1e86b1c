"""Runs every example on other interpreters, and records how often it held."""

import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from evidence import examples
from evidence.examples import Example
from evidence.measure import interpreters
from evidence.measure.interpreters import Interpreter
from evidence.measure.run import Run, run_file
from evidence.paths import DATA, ROOT

FOLDER = DATA / "runs"
SCHEMA = ROOT / "docs" / "evidence" / "runs.schema.json"
LOADS = ("rest", "busy")
_READY = "ready\n"

Report = Callable[[str], None]


@dataclass(frozen=True)
class Cell:
    """An example, to be run under a start method and a load, so many times."""

    example: Example
    interpreter: Interpreter
    method: str
    load: str
    runs: int

    def task(self, deadline: float, packages: Path) -> dict[str, Any]:
        """What the process that runs it is told."""
        own = self.method in ("own", self.interpreter.start_methods[0])
        return {
            "path": str(self.example.path),
            "python": self.interpreter.executable,
            "start_method": None if own else self.method,
            "runs": self.runs,
            "deadline": deadline,
            "packages": str(packages),
        }


def record_on(
    interpreter: Interpreter,
    wanted: dict[str, int],
    names: list[str],
    jobs: "Jobs",
    report: Report,
) -> None:
    """Bring the record of an interpreter up to so many runs, cell by cell."""
    data = begin(interpreter)
    chosen = [e for e in examples.find() if not names or e.name in names]
    for example in chosen:
        _begin_anew_on_another_version(data, interpreter, example, wanted)
    for load in LOADS:
        cells = [
            cell
            for example in chosen
            for cell in missing(data, interpreter, example, load, wanted[load])
        ]
        with _busy(load == "busy" and bool(cells)):
            for cell, found in jobs.do(cells):
                _add(data, cell, found)
                save(interpreter.key, data)
                report(f"{interpreter.key} {cell.example.name} {cell.method} {load}")
    save(interpreter.key, data)


def begin(interpreter: Interpreter) -> dict[str, Any]:
    """The record so far, without what is no longer true."""
    path = FOLDER / f"{interpreter.key}.json"
    data = json.loads(path.read_text("utf-8")) if path.exists() else {}
    entries = current(data.get("examples", {}))
    for example in examples.find():
        reason = interpreter.why_not(example)
        known = entries[example.name]
        # Whoever measured it could run it; and whoever could not has said why.
        if known.get("cells") or (reason and "why_not" in known):
            continue
        entries[example.name] = (
            {"sha256": example.sha256, "why_not": reason}
            if reason
            else _not_measured(example)
        )
    return {
        "implementation": interpreter.implementation,
        "version": data.get("version", interpreter.version),
        "platform": interpreter.platform,
        "cores": data.get("cores", os.cpu_count()),
        "examples": entries,
    }


def current(entries: dict[str, Any]) -> dict[str, Any]:
    """The entries of the examples as they are now; what has changed is not measured."""
    return {
        example.name: entry
        if (entry := entries.get(example.name, {})).get("sha256") == example.sha256
        else _not_measured(example)
        for example in examples.find()
    }


def _not_measured(example: Example) -> dict[str, Any]:
    return {"sha256": example.sha256, "cells": {}}


def forget_what_changed() -> None:
    """Drop the runs of examples that have changed, on all interpreters.

    Those that are not at hand cannot be asked again: not measured is the truth.
    """
    for key, data in load_all().items():
        entries = current(data["examples"])
        if entries != data["examples"]:
            save(key, data | {"examples": entries})


def version_of(data: dict[str, Any], example: Example) -> str:
    """The version on which an example was run: for some, another than for most."""
    entry = data["examples"].get(example.name, {})
    version: str = entry.get("version", data["version"])
    return version


def _begin_anew_on_another_version(
    data: dict[str, Any],
    interpreter: Interpreter,
    example: Example,
    wanted: dict[str, int],
) -> None:
    """Drop the runs of an example that lacks some and has been run on 3.11.2, say.

    The runs of an example are of one version; those of other examples stay.
    """
    lacks = any(
        any(missing(data, interpreter, example, load, wanted[load])) for load in LOADS
    )
    if lacks and version_of(data, example) != interpreter.version:
        entry = _not_measured(example) | {"version": interpreter.version}
        if interpreter.version == data["version"]:
            del entry["version"]
        data["examples"][example.name] = entry


def missing(
    data: dict[str, Any],
    interpreter: Interpreter,
    example: Example,
    load: str,
    wanted: int,
) -> Iterator[Cell]:
    """The runs of an example that are still to be done."""
    entry = data["examples"][example.name]
    if "why_not" in entry or interpreter.why_not(example):
        return
    for method in interpreter.methods_for(example):
        done = (
            entry.setdefault("cells", {}).get(method, {}).get(load, {}).get("runs", 0)
        )
        if done < wanted:
            yield Cell(example, interpreter, method, load, wanted - done)


def _add(data: dict[str, Any], cell: Cell, found: dict[str, Any]) -> None:
    """Add the runs of a cell to those that were there."""
    cells = data["examples"][cell.example.name]["cells"]
    entry = cells.setdefault(cell.method, {})
    entry["date"] = datetime.now(UTC).date().isoformat()
    entry["kernel"] = interpreters.kernel()
    old = entry.setdefault(cell.load, {"runs": 0, "held": 0, "differed": []})
    old["runs"] += cell.runs
    old["held"] += found["held"]
    for variant in found["differed"]:
        count_variant(old["differed"], variant)


def count_variant(variants: list[dict[str, Any]], new: dict[str, Any]) -> None:
    """Count what a run printed with the runs that printed the same."""
    for variant in variants:
        if replace_count(variant) == replace_count(new):
            variant["count"] += new["count"]
            return
    variants.append(new)


def replace_count(variant: dict[str, Any]) -> dict[str, Any]:
    """What a run did, whatever number of runs did it."""
    return variant | {"count": 0}


def save(key: str, data: dict[str, Any]) -> None:
    """Write a record, whole or not at all."""
    data = {"$schema": f"../{SCHEMA.name}", **data}
    schema = json.loads(SCHEMA.read_text("utf-8"))
    Draft202012Validator(schema).validate(data)
    FOLDER.mkdir(exist_ok=True)
    unfinished = FOLDER / f".{key}.unfinished"
    unfinished.write_text(
        json.dumps(data, indent=1, ensure_ascii=False) + "\n", "utf-8"
    )
    unfinished.replace(FOLDER / f"{key}.json")


def load_all() -> dict[str, dict[str, Any]]:
    """All records, in the order of their columns."""
    paths = {path.stem: path for path in FOLDER.glob("*.json")}
    return {
        key: json.loads(paths[key].read_text("utf-8"))
        for key in sorted(paths, key=interpreters.order)
    }


_SPIN = """
import os, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0))).start()
while True:
    pass
"""


@contextmanager
def _busy(wanted: bool) -> Iterator[None]:
    """Keep every core busy; the processes end by themselves if this one dies."""
    spinning: list[subprocess.Popen[bytes]] = []
    try:
        for _ in range((os.cpu_count() or 1) if wanted else 0):
            command = [sys.executable, "-c", _SPIN]
            spinning.append(
                # Ctrl-C is for this process, which then ends that one.
                subprocess.Popen(command, stdin=subprocess.PIPE, process_group=0)
            )
        yield
    finally:
        for process in spinning:
            process.kill()
            process.communicate()


class Jobs:
    """Processes that run examples, each with its own descendants to look after."""

    def __init__(self, count: int, deadline: float, packages: Path) -> None:
        self._deadline = deadline
        self._packages = packages
        self._count = count
        self._all = [self._start() for _ in range(count)]
        self._free: queue.SimpleQueue[subprocess.Popen[str]] = queue.SimpleQueue()
        for process in self._all:
            self._free.put(process)

    @staticmethod
    def _start() -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "evidence.record"],
            process_group=0,  # Ctrl-C is for this process, which then ends that one.
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        if not process.stdout or process.stdout.readline() != _READY:
            raise RuntimeError("the process that runs examples did not start")
        return process

    def do(self, cells: list[Cell]) -> Iterator[tuple[Cell, dict[str, Any]]]:
        """Run cells side by side; each with what was found, as it comes."""
        stopped = threading.Event()

        def do(cell: Cell) -> tuple[Cell, dict[str, Any]]:
            if stopped.is_set():
                raise InterruptedError
            process = self._free.get()
            try:
                return cell, self._ask(process, cell)
            finally:
                self._free.put(process)

        with ThreadPoolExecutor(self._count) as pool:
            try:
                yield from pool.map(do, cells)
            except BaseException:
                stopped.set()
                self.close()
                raise

    def _ask(self, process: subprocess.Popen[str], cell: Cell) -> dict[str, Any]:
        if not process.stdin or not process.stdout:
            raise RuntimeError("the process that runs examples has no pipes")
        process.stdin.write(
            json.dumps(cell.task(self._deadline, self._packages)) + "\n"
        )
        process.stdin.flush()
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"what ran {cell.example.name} has died; see above")
        found: dict[str, Any] = json.loads(line)
        return found

    def close(self) -> None:
        """End the processes; what they run ends with them."""
        for process in self._all:
            if process.poll() is None:
                if sys.platform == "win32":  # It has no SIGINT for one process.
                    process.terminate()
                else:
                    process.send_signal(signal.SIGINT)
        for process in self._all:
            process.communicate()


def run_cell(task: dict[str, Any]) -> dict[str, Any]:
    """Run an example so many times: how often it held, and what it did else."""
    example = Example(Path(task["path"]))
    found: dict[str, Any] = {"held": 0, "differed": []}
    for _ in range(task["runs"]):
        run = run_file(
            example.path,
            python=task["python"],
            start_method=task["start_method"],
            deadline=task["deadline"],
            packages=Path(task["packages"]),
        )
        variant = outcome(run, example)
        if variant is None:
            found["held"] += 1
        else:
            count_variant(found["differed"], variant)
    return found


def outcome(run: Run, example: Example) -> dict[str, Any] | None:
    """What a run did that the example does not say; None if it held."""
    clean = replace(run, output=sorted(run.output))
    if clean == Run(sorted(example.output), "", 0, []):
        return None
    last = (run.errors.strip().splitlines() or [""])[-1]
    return {
        "count": 1,
        "status": run.status,
        "output": run.output,
        "error": _without_paths(last),
        "left": len(run.leftovers),
    }


def _without_paths(line: str) -> str:
    """A line that is the same on each machine, and in each run."""
    line = re.sub(r"(/[\w.+-]+)+/", ".../", line)
    return re.sub(r"0x[0-9a-f]{6,}", "0x...", line)


def _serve() -> None:
    """Run the cells that stdin names, until its end or Ctrl-C."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        sys.stdout.write(_READY)
        sys.stdout.flush()
        for line in sys.stdin:
            sys.stdout.write(json.dumps(run_cell(json.loads(line))) + "\n")
            sys.stdout.flush()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    _serve()
