"""`process-terminate run` on a terminal: Ctrl-C, Ctrl-Z, jobs in the background."""

import os
import sys
from pathlib import Path

import psutil
import pytest
from commands import COMMAND, has_run
from support import (
    fail,
    is_running,
    wait_until,
)
from terminals import Terminal

pytestmark = pytest.mark.measured


def in_terminal(command: str, *options: str) -> str:
    """Return a line of the shell that runs a command below `run`."""
    return f"{' '.join([*COMMAND, 'run', '--grace=1', *options, '--', command])}\n"


def test_program_reads_from_the_terminal(terminal: Terminal) -> None:
    terminal.send(in_terminal("sh -c 'echo begin; read line; echo got $line'"))
    terminal.expect("begin\r\n")
    terminal.send("hello\n")
    terminal.expect("got hello\r\n")
    terminal.expect("ready> ")


def test_ctrl_c_reaches_the_command_once(terminal: Terminal) -> None:
    trap = "sh -c 'trap \"echo got-it\" INT; echo begin; read a; read b; echo end'"
    terminal.send(in_terminal(trap))
    terminal.expect("begin\r\n")
    terminal.send("\x03")
    terminal.expect("got-it\r\n")
    terminal.send("\n\n")
    assert "got-it" not in terminal.expect("(?s).*end\r\n")


def test_ctrl_c_stops_a_script_of_bash(terminal: Terminal) -> None:
    line = in_terminal("sh -c 'echo begin; exec sleep 60'").strip()
    terminal.send(f"bash -c 'while :; do {line.replace(chr(39), chr(34))}; done'\n")
    terminal.expect("begin\r\n")
    terminal.send("\x03")
    terminal.expect("ready> ")


def test_ctrl_z_stops_the_job_and_fg_continues_it(terminal: Terminal) -> None:
    terminal.send(in_terminal("sh -c 'echo begin; read line; echo got $line'"))
    terminal.expect("begin\r\n")
    terminal.send("\x1a")
    terminal.expect("Stopped")
    terminal.expect("ready> ")
    # The shell waits for `run` alone, so `read` may still take what is typed.
    below = psutil.Process(terminal.process.pid).children(recursive=True)
    wait_until(lambda: all(each.status() == "stopped" for each in below))
    terminal.send("echo status $?\n")
    terminal.expect("status 148\r\n")  # What the table of exit codes says.
    terminal.send("fg\n")
    terminal.expect("fg\r\n")
    terminal.send("hello\n")
    terminal.expect("got hello\r\n")
    terminal.expect("ready> ")


def test_command_that_stops_alone_gives_the_shell_back(terminal: Terminal) -> None:
    terminal.send(in_terminal("sh -c 'kill -STOP $$; echo continued'"))
    terminal.expect("Stopped")
    terminal.expect("ready> ")
    terminal.send("fg\n")
    terminal.expect("continued\r\n")
    terminal.expect("ready> ")


def test_background_job_that_reads_waits_for_fg(terminal: Terminal) -> None:
    terminal.send(in_terminal("sh -c 'read line; echo got $line' &"))
    terminal.send("wait\n")
    terminal.expect("Stopped")
    terminal.send("fg\n")
    terminal.expect("fg\r\n")
    terminal.send("hello\n")
    terminal.expect("got hello\r\n")


#: Takes the terminal, as an interactive shell does, and is killed.
GREEDY = """
import os, signal
os.setpgid(0, 0)
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
os.tcsetpgrp(0, os.getpgrp())
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_terminal_is_taken_back_from_a_group_that_is_dead(
    terminal: Terminal, tmp_path: Path
) -> None:
    program = tmp_path / "greedy.py"
    program.write_text(GREEDY)
    line = in_terminal(f"{sys.executable} {program}").strip()
    # Without job control, the next command has the process group of run.
    terminal.send(f"sh -c '{line}; echo $?; read line; echo got $line'\n")
    terminal.expect("137\r\n")
    terminal.send("hello\n")
    terminal.expect("got hello\r\n")


@has_run
@pytest.mark.parametrize("first", ["exec ", ""])
def test_terminal_that_hangs_up_ends_the_command(first: str) -> None:
    line = in_terminal("sh -c 'echo pid $$; exec sleep 60'").strip()
    # By exec, run leads the session; else it is a job of the shell that does.
    opened = Terminal(["sh", "-c", f"{first}{line}; exit"])
    pid = int(opened.expect(r"pid \d+").split()[1])
    opened.close()
    wait_until(lambda: not is_running(pid))


@pytest.mark.parametrize("asks", ["read x", "stty -echo"])
def test_command_that_wants_the_terminal_in_the_background_gets_its_timeout(
    terminal: Terminal, asks: str
) -> None:
    """The terminal stops the process group of the command, and run is in it."""
    line = in_terminal(f"sh -c '{asks}; exec sleep 60'", "--timeout=0.5")
    terminal.send(f"{line.strip()} & wait $!; echo status $?\n")
    # The shell itself ends its wait if it is told of a stop.
    assert terminal.expect(r"status \d+") == "status 124"


@has_run
def test_run_without_a_terminal_does_not_stop_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No shell could continue it."""
    from process_terminate._command import terminal  # noqa: PLC0415

    monkeypatch.setattr(os, "open", fail(OSError(6, "No such device or address")))
    found = terminal.Terminal()
    monkeypatch.setattr(os, "getsid", lambda _: 1)
    monkeypatch.setattr(os, "getpgid", lambda _: -1)
    monkeypatch.setattr(os, "kill", fail(AssertionError()))
    found.follow_stop()
    found.restore()
