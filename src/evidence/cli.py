"""The command line: `python -m evidence VERB`."""

import argparse
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from evidence import UserError, examples, store

# Each verb imports only what it needs: rendering must not wait for the plot library.
# ruff: noqa: PLC0415


def main() -> None:
    """Do what the command line says."""
    arguments = _parser().parse_args()
    # A background job of a shell ignores Ctrl-C and Ctrl-\ from its start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # SIGTERM stops it in the same way, so that its workers stop as well.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if sys.platform != "win32":  # Which has neither of these two signals.
        signal.signal(signal.SIGQUIT, signal.SIG_DFL)
        # Below nohup it survives a hangup, but what it runs inherits nothing.
        if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
            signal.signal(signal.SIGHUP, lambda *_: None)
    try:
        arguments.run(arguments)
    except KeyboardInterrupt:
        sys.exit("evidence: interrupted; what was recorded is kept")
    except UserError as error:
        sys.exit(f"evidence: {error}")


def report(line: str) -> None:
    """Show the user how far it is."""
    print(line, flush=True)  # noqa: T201


def _record(arguments: argparse.Namespace) -> None:
    from evidence.measure import interpreters, record, retrace, runs

    chosen = examples.named(arguments.names)
    executables = arguments.python or interpreters.available()
    with interpreters.packages() as packages:
        wanted: dict[runs.Load, int] = {
            "idle": arguments.runs,
            "loaded": arguments.loaded,
        }
        settings = record.Settings(wanted, packages, arguments.jobs, arguments.deadline)
        for interpreter in interpreters.usable(executables, packages, report):
            chosen_one = replace(interpreter, anyway=arguments.anyway)
            record.record(chosen, chosen_one, settings, report)
    store.forget(runs.FOLDER, {example.name for example in examples.find()})
    if sys.platform == "linux":  # The tracer needs pidfds.
        retrace.retrace(chosen, [sys.executable, *executables], report)


def _trace(arguments: argparse.Namespace) -> None:
    from evidence.measure import interpreters, retrace

    chosen = examples.named(arguments.names)
    executables = arguments.python or interpreters.available()
    retrace.retrace(chosen, executables, report, again=True)


def _survivors(arguments: argparse.Namespace) -> None:
    from evidence.studies import survivors

    survivors.record(arguments.runs, arguments.compare, report)


def _runners(arguments: argparse.Namespace) -> None:
    from evidence.studies import runners

    runners.record(arguments.runs, report, arguments.names)


def _command(_: argparse.Namespace) -> None:
    from evidence.studies import command

    command.record(report)


def _queues(arguments: argparse.Namespace) -> None:
    from evidence.studies import broken_queue

    broken_queue.record(arguments.runs, arguments.jobs, report)


def _programs(arguments: argparse.Namespace) -> None:
    from evidence.studies import programs

    programs.record(arguments.runs, report)


def _hangs(_: argparse.Namespace) -> None:
    from evidence.studies import hangs

    hangs.record(report)


def _tests(arguments: argparse.Namespace) -> None:
    from evidence import elsewhere

    found = elsewhere.record(arguments.python, arguments.names)
    report(
        f"{found.python} ({found.platform}): {found.passed} passed, {found.failed} "
        f"failed, {found.skipped} skipped in {found.seconds} s"
    )
    for name in found.names:
        report(f"failed: {name}")
    if found.failed:
        raise UserError(f"{found.failed} tests of the library failed")


def _render(_: argparse.Namespace) -> None:
    from evidence.render import render

    render()


def _finish(arguments: argparse.Namespace) -> None:
    from evidence.publish import finish

    finish.finish(arguments.site)


def _prose(arguments: argparse.Namespace) -> None:
    from evidence.prose import rules

    kinds = {str(path): rules.under([path]) for path in arguments.paths}
    found = rules.other_titles() if not kinds else []
    kinds = kinds or rules.files()
    found += [f for paths in kinds.values() for p in paths for f in rules.findings(p)]
    for line in [*map(str, found), rules.table(kinds)]:
        report(line)
    if found:
        raise UserError(f"{len(found)} places break a rule of the prose")


def _offline(arguments: argparse.Namespace) -> None:
    from evidence.publish import offline

    offline.pack(arguments.site, arguments.zip)


def _serve(arguments: argparse.Namespace) -> None:
    from evidence.publish import serve

    serve.serve(arguments.port)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m evidence")
    verbs = parser.add_subparsers(metavar="VERB", required=True)

    def add(
        run: Callable[[argparse.Namespace], None], what: str
    ) -> argparse.ArgumentParser:
        verb = verbs.add_parser(run.__name__[1:], help=what, description=what)
        verb.set_defaults(run=run)
        return verb

    recording = add(_record, "run the examples on interpreters, and trace new ones")
    recording.add_argument("--runs", type=_count, default=20, help="idle runs of each")
    recording.add_argument(
        "--loaded",
        type=lambda text: _count(text, least=0),
        default=20,
        help="runs with every processor busy",
    )
    recording.add_argument("--jobs", type=_count, default=2, help="runs at a time")
    recording.add_argument(
        "--deadline", type=float, default=60.0, help="seconds for one run"
    )
    recording.add_argument(
        "--anyway", action="store_true", help="run examples for other platforms, too"
    )
    tracing = add(_trace, "record the events of one run of each example")
    for verb in recording, tracing:
        verb.add_argument("names", nargs="*", help="examples; default: all")
        verb.add_argument(
            "--python", action="append", metavar="EXE", help="default: those on PATH"
        )
    counting = add(_survivors, "stop hostile process trees, and count survivors")
    counting.add_argument("--runs", type=_count, default=200, help="of this library")
    counting.add_argument("--compare", type=_count, default=20, help="of other ways")
    running = add(
        _runners, "let four runners run hostile trees, and count what is left"
    )
    running.add_argument("--runs", type=_count, default=10, help="of each cell")
    running.add_argument("names", nargs="*", help="trees; default: all")
    add(_command, "record what the command process-terminate prints, for its page")
    breaking = add(_queues, "terminate writers of a queue, and count what hangs")
    breaking.add_argument("--runs", type=_count, default=200, help="of each point")
    breaking.add_argument("--jobs", type=_count, default=4, help="runs at a time")
    stopping = add(_programs, "stop real programs, and record what it took")
    stopping.add_argument("--runs", type=_count, default=20, help="of each program")
    add(_hangs, "make real programs hang, and record what diagnose() prints")
    testing = add(_tests, "run the library's tests on another platform")
    testing.add_argument("names", nargs="*", help="files; default: all, recorded")
    testing.add_argument("--python", metavar="EXE", required=True)
    add(_render, "render what the pages embed into .build/")
    finishing = add(_finish, "add to a built site what only the site has")
    packing = add(_offline, "pack a finished site into a zip for reading offline")
    for verb in finishing, packing:
        verb.add_argument("site", type=Path, help="the folder of the site")
    packing.add_argument("zip", type=Path)
    reading = add(_prose, "check how pages are written, and count words in them")
    reading.add_argument("paths", nargs="*", type=Path, help="default: everything")
    serving = add(_serve, "serve the site, and build it again when a file changes")
    serving.add_argument("port", type=int)
    return parser


def _count(text: str, least: int = 1) -> int:
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(
            f"must be a whole number >= {least}, got {text}"
        )
    return int(text)
