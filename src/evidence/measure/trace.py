"""Runs an example with the tracer, and records the events of its timeline."""

import os
import subprocess
import sys
import tempfile
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from evidence.examples import Example
from evidence.measure import interpreters, leftovers, timelines
from evidence.measure.interpreters import Interpreter
from evidence.measure.run import command_of, environment
from evidence.measure.timelines import Event, Timeline
from evidence.measure.tracer import story
from evidence.measure.tracer.watch import DEADLINE, Watch

#: The folder that puts the tracer into each Python process of an example.
TRACER = Path(__file__).parent / "tracer" / "inside"
#: Runs with patience before one without.
_TRIES = 2


def is_of(example: Example) -> bool:
    """Return whether the recorded timeline is of the present example and tracer."""
    timeline = timelines.load(example)
    return timeline is not None and timeline.is_of(example)


def record(example: Example, interpreter: Interpreter) -> None:
    """Trace an example under each start method, and write its timeline."""
    methods = interpreter.methods_for(example)
    timeline = Timeline(
        hash=example.hash,
        tracer=timelines.TRACER_VERSION,
        python=interpreter.language,
        kernel=interpreters.kernel(),
        date=datetime.now(UTC).date().isoformat(),
        methods={m: _traced(example, m, interpreter.executable) for m in methods},
    )
    timelines.save(example, timeline)


def _traced(example: Example, method: str, python: str) -> list[Event]:
    """Trace until a run passes.

    On busy cores a run may differ. If an example is about a signal that comes too
    early, only a run without patience passes.
    """
    for _ in range(_TRIES):
        with suppress(RuntimeError, TimeoutError):
            return trace(example, method, python)
    return trace(example, method, python, patience=0)


def trace(
    example: Example, method: str, python: str = sys.executable, patience: float = 0.05
) -> list[Event]:
    """Run an example, and return what its processes did, in order.

    Before a signal its receiver gets `patience` seconds to come to rest.
    Meanwhile this process is the subreaper of the run: it stands for init.

    Raises:
        RuntimeError: if the example failed or printed other lines than it says.
        TimeoutError: if the example did not exit.
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        interpreters.packages() as packages,
        tempfile.TemporaryFile() as output,
        tempfile.TemporaryFile() as errors,
        leftovers.ended(),
    ):
        notes = Path(folder) / "notes"
        notes.touch()
        watch = Watch(notes)
        start_method = None if method == "own" else method
        main = subprocess.Popen(
            command_of(example.path, python=python, start_method=start_method),
            env=environment(
                f"{TRACER}{os.pathsep}{interpreters.search_path(python, packages)}"
            )
            | {
                "TRACED_EXAMPLE": str(example.path),
                "TRACED_NOTES": str(notes),
                "TRACED_PATIENCE": str(patience),
            },
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
        )
        try:
            watch.follow(main)
        finally:
            main.kill()  # It is alive only if watching was broken off.
            main.wait(DEADLINE)
        errors.seek(0)
        output.seek(0)
        printed = output.read().decode().splitlines()
        error = errors.read().decode()
        if main.returncode:
            error = f"exit {main.returncode}"
        elif not error and sorted(printed) != sorted(example.output):
            error = f"printed {printed}"
        if error:
            raise RuntimeError(f"{example.name}, {method}: {error}")
    return story.tell(watch, main.pid, example.source)
