"""Trace the examples that have no timeline of their present version."""

import sys
from collections.abc import Callable, Sequence

from packaging.version import Version

from evidence import examples, store
from evidence.examples import Example
from evidence.measure import interpreters, timelines, trace
from evidence.measure.interpreters import Interpreter

#: Older versions do not know the column of a call in its line.
_OLDEST = Version("3.11")


def retrace(
    chosen: Sequence[Example],
    executables: Sequence[str],
    report: Callable[[str], object],
    *,
    again: bool = False,
) -> None:
    """Trace each example that has changed since its trace; `again` traces all.

    The first interpreter that can run an example traces it.
    """
    wanted = [example for example in chosen if again or not trace.is_of(example)]
    with interpreters.packages() as packages:
        found = interpreters.usable(executables, packages, report) if wanted else []
    for example in wanted:
        interpreter = next((i for i in found if _can_trace(i, example)), None)
        if interpreter is None:
            reason = example.why_not_here or "none of these interpreters can run it"
            report(f"not traced: {example.name}: {reason}")
            continue
        report(f"trace {example.name} on Python {interpreter.language}")
        try:
            trace.record(example, interpreter)
        except (RuntimeError, TimeoutError) as error:
            report(f"not traced: {error}")
    store.forget(timelines.FOLDER, {example.name for example in examples.find()})


def _can_trace(interpreter: Interpreter, example: Example) -> bool:
    return (
        interpreter.implementation == "CPython"
        and interpreter.platform == sys.platform  # The tracer reads /proc.
        and Version(interpreter.language) >= _OLDEST
        and interpreter.why_not(example) is None
    )
