"""Writes what is measured and generated: `python -m evidence --help`."""

import argparse
import signal
import sys
import tempfile
from dataclasses import replace
from functools import cache
from importlib.metadata import version
from pathlib import Path

from packaging.version import Version
from rich.console import Console
from rich.progress import Progress

from evidence import api, examples
from evidence import render as rendering
from evidence.measure import interpreters, record, trace
from evidence.measure.interpreters import Interpreter, UnusableError
from evidence.measure.run import DEADLINE
from evidence.publish import addresses
from evidence.publish import finish as publish
from evidence.studies import broken_queue as howoften
from evidence.studies import programs, survivors

#: Before, Python does not know where in a line a call is.
_OLDEST_TRACED = Version("3.11")


def main() -> None:
    """Do what the command line says."""
    arguments = _parser().parse_args()
    # A background job of a shell ignores Ctrl-C from birth.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        if arguments.command == "record":
            record_all(arguments)
            others = arguments.python or interpreters.at_hand()
            trace_all(arguments.names, [sys.executable, *others])
        elif arguments.command == "trace":
            chosen = arguments.python or interpreters.at_hand()
            trace_all(arguments.names, chosen, again=True)
        elif arguments.command == "survivors":
            survivors.record(arguments.runs, arguments.compare, report)
        elif arguments.command == "programs":
            record_programs(arguments.runs)
        elif arguments.command == "howoften":
            names = tuple(arguments.series or howoften.SERIES)
            howoften.measure(arguments.runs, arguments.jobs, report, names)
        elif arguments.command == "addresses":
            record_addresses()
            return
        elif arguments.command == "api":
            api.write(version("process-terminate"))
            return
    except KeyboardInterrupt:
        sys.exit("evidence: interrupted; what was recorded is kept")
    render()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m evidence")
    commands = parser.add_subparsers(dest="command", required=True)
    recording = commands.add_parser(
        "record", help="run the examples on interpreters, and record what held"
    )
    recording.add_argument("names", nargs="*", help="examples; default: all")
    recording.add_argument(
        "--python", action="append", metavar="EXE", help="default: those on PATH"
    )
    recording.add_argument("--runs", type=_count, default=20, help="at rest")
    recording.add_argument("--busy", type=_count, default=20, help="all cores busy")
    recording.add_argument("--jobs", type=_count, default=2, help="at a time")
    recording.add_argument(
        "--deadline", type=float, default=DEADLINE, help="seconds for a run"
    )
    recording.add_argument(
        "--anyway",
        action="store_true",
        help="run examples that are not written for the platform, too",
    )
    counting = commands.add_parser(
        "survivors", help="end hostile trees, and record who survives (minutes)"
    )
    counting.add_argument("--runs", type=int, default=200, help="of this library")
    counting.add_argument("--compare", type=int, default=20, help="of the other ways")
    stopping = commands.add_parser(
        "programs", help="stop real programs, and record what it took (minutes)"
    )
    stopping.add_argument("--runs", type=_count, default=20, help="of each recipe")
    breaking = commands.add_parser(
        "howoften", help="end writers of a queue, and record what hangs (half an hour)"
    )
    breaking.add_argument("--runs", type=_count, default=200, help="of each point")
    breaking.add_argument(
        "--series", action="append", choices=howoften.SERIES, help="default: all"
    )
    breaking.add_argument("--jobs", type=_count, default=4, help="at a time")
    tracing = commands.add_parser("trace", help="record the events of one run of each")
    tracing.add_argument("names", nargs="*", help="examples; default: all")
    tracing.add_argument(
        "--python",
        action="append",
        metavar="EXE",
        help="the first that can run it traces; default: this, then those on PATH",
    )
    commands.add_parser("render", help="write the pages that show the records")
    commands.add_parser("addresses", help="record the addresses of pages and ids")
    commands.add_parser("api", help="record what the library offers, for a release")
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a whole number from 1 on, not {text}")
    return int(text)


def _named(names: list[str]) -> list[examples.Example]:
    """The examples of these names, or all."""
    known = {example.name: example for example in examples.find()}
    if unknown := set(names) - set(known):
        sys.exit(f"evidence: no such example: {', '.join(sorted(unknown))}")
    return [known[name] for name in names or known]


def trace_all(names: list[str], pythons: list[str], *, again: bool = False) -> None:
    """Trace the examples that changed since they were, or the tracer; or all again.

    An example is traced by the first interpreter that can run it.
    """
    wanted = [e for e in _named(names) if again or not trace.is_of(e)]
    with interpreters.packages() as packages:
        for example in wanted:
            found = (_asked(python, packages) for python in pythons)
            able = (i for i in found if i and _can_trace(i, example))
            interpreter = next(able, None)
            if interpreter is None:
                report(f"not traced: {example.name} {_why_not_traced(example)}")
                continue
            report(f"trace {example.name} on Python {interpreter.language}")
            try:
                trace.record(example, interpreter)
            except (RuntimeError, TimeoutError) as error:
                report(f"not traced: {error}")
    trace.forget({example.name for example in examples.find()})


@cache
def _asked(python: str, packages: Path) -> Interpreter | None:
    try:
        return interpreters.ask(python, packages)
    except UnusableError as error:
        report(f"skipped {python}: {error}")
        return None


def _can_trace(interpreter: Interpreter, example: examples.Example) -> bool:
    return (
        interpreter.implementation == "CPython"
        and Version(interpreter.language) >= _OLDEST_TRACED
        and interpreter.why_not(example) is None
    )


def _why_not_traced(example: examples.Example) -> str:
    return example.why_not_here or "can run on none of these interpreters"


def record_all(arguments: argparse.Namespace) -> None:
    """Record on each interpreter, one after the other."""
    _named(arguments.names)
    wanted = {"rest": arguments.runs, "busy": arguments.busy}
    record.forget_what_changed()
    with interpreters.packages() as packages:
        chosen = _usable(arguments.python or interpreters.at_hand(), packages)
        chosen = [replace(one, anyway=arguments.anyway) for one in chosen]
        jobs = record.Jobs(arguments.jobs, arguments.deadline, packages)
        try:
            with Progress(console=Console(stderr=True)) as progress:
                for interpreter in chosen:
                    _record_one(interpreter, wanted, arguments.names, jobs, progress)
        finally:
            jobs.close()


def _record_one(
    interpreter: Interpreter,
    wanted: dict[str, int],
    names: list[str],
    jobs: record.Jobs,
    progress: Progress,
) -> None:
    data = record.begin(interpreter)
    total = sum(
        len(list(record.missing(data, interpreter, example, load, wanted[load])))
        for example in examples.find()
        for load in record.LOADS
        if not names or example.name in names
    )
    bar = progress.add_task(interpreter.key, total=total)
    record.record_on(interpreter, wanted, names, jobs, lambda _: progress.advance(bar))


def _usable(executables: list[str], packages: Path) -> list[Interpreter]:
    """The interpreters that can run, each once; says of the others why not."""
    found: dict[str, Interpreter] = {}
    for executable in executables:
        try:
            interpreter = interpreters.ask(executable, packages)
        except UnusableError as error:
            report(f"skipped {executable}: {error}")
        else:
            found.setdefault(interpreter.key, interpreter)
    if not found:
        sys.exit("evidence: none of these interpreters can run")
    return list(found.values())


def record_programs(runs: int) -> None:
    """Stop real programs, if all of them are here."""
    try:
        programs.record(runs, report)
    except programs.UnavailableError as error:
        sys.exit(f"evidence: {error}")


def record_addresses() -> None:
    """Build the site, and write down which addresses it has."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            publish.build(Path(folder))
            addresses.write(Path(folder))
        except addresses.AddressError as error:
            sys.exit(f"evidence: {error}")


def render() -> None:
    """Write what is rendered from the examples and the data."""
    rendering.render()


def report(line: str) -> None:
    """Tell the person at the terminal how far it is."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
