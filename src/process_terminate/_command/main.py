"""What the command line says, and which subcommand it calls."""

from __future__ import annotations

import argparse
import io
import logging
import re
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

from process_terminate._command import statuses
from process_terminate._command.statuses import CommandError, complain
from process_terminate._process.ending import checked_grace, checked_signal

if TYPE_CHECKING:
    from collections.abc import Sequence

# Each subcommand imports only what it needs, so that "run" starts quickly.
# ruff: noqa: PLC0415

#: Most real-time signals have no name, but a distance from the first or the last one.
_REAL_TIME = re.compile(r"(?a)(RTMIN(?=\+)|RTMAX(?=-))([+-]\d+)")

_ABOUT = "Say why a process is still there, stop it, and explain its exit code."
_DIAGNOSE = """Say why a process is still there: which signals it ignores, what it
waits for, and which processes would survive it. It sends no signal."""
_STOP = """Stop processes: send a signal, wait, and send SIGKILL to those that are
still running. It prints one line for each process that was stopped."""
_RUN = """Run a command so that no process of it is left when it ends, is interrupted,
or takes too long. Signals are passed on to the command. After SIGTERM or the timeout,
the command has the grace period to end; then it is killed. Its descendants that are
still running get the signal and a grace period of their own. As process 1 of a
container it reaps orphans. It needs Linux."""
_EXIT_CODE = """Say what an exit code means, what may have sent the signal, and what to
look at next. It takes a number, a signal, or the message that shows it:
137, -9, 0xC0000005, SIGKILL, "exit code 137"."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; return the exit status."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A name of a process must not be what ends the command in the middle.
        sys.stdout.reconfigure(errors="backslashreplace")
    parsed = _parser().parse_args(arguments)
    # Whoever supervises others must not wait for a reader of its messages.
    limit = statuses.MESSAGE_WAIT if parsed.call is _run else None
    handler = _Lines(limit)
    log = logging.getLogger("process_terminate")
    log.addHandler(handler)
    try:
        status: int = parsed.call(parsed)
    except CommandError as error:
        complain(str(error), limit)
        status = error.status
    except KeyboardInterrupt:
        complain("interrupted", limit)
        status = statuses.INTERRUPTED
    finally:
        log.removeHandler(handler)
    return status


class _Lines(logging.Handler):
    """Prints each warning of the library as a line of an error."""

    def __init__(self, limit: float | None) -> None:
        super().__init__(logging.WARNING)
        self._limit = limit

    def emit(self, record: logging.LogRecord) -> None:
        complain(record.getMessage(), self._limit)


class _Parser(argparse.ArgumentParser):
    """A parser that exits with the status of its subcommand if it cannot parse."""

    usage_status = statuses.USAGE

    def error(self, message: str) -> NoReturn:
        self.exit(self.usage_status, f"{self.prog}: {message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="process-terminate", description=_ABOUT)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    diagnose = commands.add_parser(
        "diagnose", help="say why a process is still there", description=_DIAGNOSE
    )
    _add_processes(diagnose)
    diagnose.add_argument(
        "--python",
        action="store_true",
        help="also print the Python stack of each process; needs py-spy",
    )
    diagnose.set_defaults(call=_diagnose)

    stop = commands.add_parser(
        "stop", help="stop processes, if need be by SIGKILL", description=_STOP
    )
    _add_processes(stop)
    _add_stopping(stop)
    stop.add_argument(
        "--force",
        action="store_true",
        help="also stop process 1, or an ancestor of this command",
    )
    stop.set_defaults(call=_stop)

    run = commands.add_parser(
        "run",
        help="run a command, and leave no process of it",
        description=_RUN,
        usage="%(prog)s [-h] [--grace S] [--signal NAME] [--timeout S] -- COMMAND ...",
    )
    assert isinstance(run, _Parser)  # noqa: S101  # For the type checker.
    run.usage_status = statuses.FAILED
    _add_stopping(run)
    run.add_argument(
        "--timeout",
        type=_timeout,
        metavar="S",
        help="stop the command after S seconds, and exit with 124",
    )
    run.add_argument(
        "command",
        nargs=argparse.REMAINDER,
        metavar="-- COMMAND ...",
        help="the command and its arguments",
    )
    run.set_defaults(call=_run)

    exit_code = commands.add_parser(
        "exit-code", help="say what an exit code means", description=_EXIT_CODE
    )
    exit_code.add_argument(
        "text", nargs="+", metavar="N", help="the exit code, or a message that shows it"
    )
    _add_json(exit_code)
    exit_code.set_defaults(call=_exit_code)
    return parser


def _add_processes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("pids", nargs="*", type=_pid, metavar="PID", help="a process")
    parser.add_argument(
        "--name",
        action="append",
        default=[],
        help="each process of this name: of the program as ps shows it, of its file, "
        "or of the Python script or module that it runs",
    )
    parser.add_argument(
        "--tree", action="store_true", help="also the descendants of each process"
    )
    _add_json(parser)


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def _add_stopping(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--grace",
        type=_grace,
        default=5.0,
        metavar="S",
        help="seconds between the signal and SIGKILL (default: 5)",
    )
    parser.add_argument(
        "--signal",
        type=_signal,
        default=signal.SIGTERM,
        metavar="NAME",
        help="the first signal, for example INT, RTMIN+1 or 15 (default: TERM)",
    )


def _pid(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(
            f"a pid must be a whole number >= 1, got {text!r}; use --name for a name"
        )
    return int(text)


def _grace(text: str) -> float:
    try:
        return checked_grace(float(text))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"must be a finite number of seconds >= 0, got {text!r}"
        ) from None


def _timeout(text: str) -> float:
    try:
        seconds = checked_grace(float(text))
    except ValueError:
        seconds = 0
    if seconds <= 0:
        raise argparse.ArgumentTypeError(
            f"must be a finite number of seconds > 0, got {text!r}"
        )
    return seconds


def _signal(text: str) -> int:
    try:
        return checked_signal(signal_number(text))
    except (KeyError, ValueError):
        raise argparse.ArgumentTypeError(
            f"must be a signal of this system such as TERM, INT or 15, got {text!r}"
        ) from None


def signal_number(text: str) -> int:
    """Return the signal that a text names, as `kill -l` of a shell writes it.

    Raises:
        KeyError: If there is no signal of the name.
        ValueError: If there is no signal of the number.
    """
    name = text.upper().removeprefix("SIG")
    if name.isdecimal():
        number = int(name)
    elif found := _REAL_TIME.fullmatch(name):
        number = int(signal.Signals[f"SIG{found[1]}"]) + int(found[2])
        first, last = signal.Signals["SIGRTMIN"], signal.Signals["SIGRTMAX"]
        number = number if first <= number <= last else 0
    else:
        number = signal.Signals[f"SIG{name}"]
    if number not in signal.valid_signals():
        raise ValueError(f"no signal of this system: {text!r}")
    return number


def _diagnose(parsed: argparse.Namespace) -> int:
    from process_terminate._command.diagnosing import diagnose

    return diagnose(parsed)


def _stop(parsed: argparse.Namespace) -> int:
    from process_terminate._command.stopping import stop

    return stop(parsed)


def _run(parsed: argparse.Namespace) -> int:
    command = parsed.command[1:] if parsed.command[:1] == ["--"] else parsed.command
    if not command:
        raise CommandError(
            "run: name the command, for example: run -- sleep 60", statuses.FAILED
        )
    if sys.platform == "linux":
        from process_terminate._command.run import run

        return run(command, parsed.grace, parsed.timeout, parsed.signal)
    raise CommandError(
        f"run needs Linux, this is {sys.platform}; stop --tree works here",
        statuses.FAILED,
    )


def _exit_code(parsed: argparse.Namespace) -> int:
    from process_terminate._command.explaining import explain

    return explain(" ".join(parsed.text), as_json=parsed.json)
