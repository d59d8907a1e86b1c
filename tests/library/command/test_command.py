"""The command line: its options and errors, and the other commands."""

import io
import json
import os
import re
import signal
import sys
from contextlib import redirect_stdout
from typing import Any

import psutil
import pytest
from commands import COMMAND, RTMAX, RTMIN, SLEEP, call, has_run, posix
from support import (
    NO_PID,
    completed,
    fail,
    is_running,
    not_on_windows,
    wait_until,
)

import process_terminate
from process_terminate._command.main import main, signal_number
from process_terminate._process import table

pytestmark = pytest.mark.measured

#: Gives itself a name that forges a line, and exits.
RENAMED = "open('/proc/self/comm', 'w').write('x\\x1b[2K\\ny')"


@not_on_windows("writes its name to /proc")
def test_diagnose_prints_a_foreign_name_with_escapes(
    sleeper: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    process = sleeper(sys.executable, "-c", RENAMED)
    wait_until(lambda: not is_running(process.pid))
    assert main(["diagnose", str(process.pid)]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"pid {process.pid} ([x\\x1b[2K\\ny]) was started ")
    assert "\x1b" not in said


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["stop"], 2, "name a process: a PID, or --name NAME"),
        (["stop", "--name", "no such name"], 3, "there is no process of the name"),
        (["stop", "4194305"], 3, "there is no process with pid 4194305"),
        (["diagnose", "99999999999"], 3, "there is no process with pid 99999999999"),
        posix(
            ["stop", "1"], 5, "it is the first process of the system or the container"
        ),
        (["stop", str(os.getpid())], 5, "it is this command itself"),
        posix(
            ["stop", "--tree", str(psutil.Process().ppid())],
            5,
            "it is an ancestor of this command",
        ),
        (["exit-code", "nonsense"], 2, "exit-code: no exit code in 'nonsense'"),
        (["exit-code", "4294967296"], 2, "exit-code: no exit code in '4294967296'"),
    ],
)
def test_error_is_one_line_and_a_status(
    arguments: list[str],
    status: int,
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(arguments) == status
    shown = capsys.readouterr()
    (line,) = shown.err.splitlines()
    assert line.startswith("process-terminate: ")
    assert said in line
    assert shown.out == ""


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        ("", 2, ": the following arguments are required: COMMAND"),
        ("stop bash", 2, " stop: argument PID: a pid .* >= 1, got 'bash'; .*"),
        (f"stop --grace -1 {NO_PID}", 2, " stop: argument --grace: .*, got '-1'"),
        (f"stop --signal X {NO_PID}", 2, " stop: argument --signal: .*, got 'X'"),
        ("run --grace -1 -- true", 125, " run: argument --grace: .* >= 0, got '-1'"),
        ("run --grace inf -- true", 125, " run: argument --grace: .* >= 0, got 'inf'"),
        ("run --timeout 0 -- true", 125, " run: argument --timeout: .* > 0, got '0'"),
        ("run --timeout x -- true", 125, " run: argument --timeout: .* > 0, got 'x'"),
        ("run --signal RTMAX+1 -- true", 125, r" run: .* a signal .*, got 'RTMAX\+1'"),
    ],
)
def test_wrong_command_line_is_one_line_and_a_status(
    arguments: str, status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as raised:
        main(arguments.split())
    assert raised.value.code == status
    (line,) = capsys.readouterr().err.splitlines()
    assert re.fullmatch(f"process-terminate{said}", line)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        posix("SIGRTMIN", RTMIN),
        posix("RTMIN+1", RTMIN + 1),
        posix("sigrtmin+2", RTMIN + 2),
        posix("SIGRTMAX-3", RTMAX - 3),
        posix("rtmax-0", RTMAX),
        posix(str(RTMIN + 4), RTMIN + 4),
        ("int", signal.SIGINT),
        ("15", signal.SIGTERM),
    ],
)
def test_signal_has_a_name_a_number_or_a_distance(text: str, number: int) -> None:
    assert signal_number(text) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "65",
        "FOO",
        "RTMIN-1",
        "RTMIN+",
        "RTMIN+31",
        "RTMAX-31",
        "RTMAX1",
        "TERM+1",
    ],
)
def test_text_that_is_no_signal_is_refused(text: str) -> None:
    with pytest.raises((KeyError, ValueError)):
        signal_number(text)


NO_PROC = (table, "require", fail(RuntimeError("needs /proc")))
NO_FILE = (table, "require", fail(OSError(24, "no descriptor is free")))
HIDES = (table, "is_hidden", lambda _: True)
DARWIN = (sys, "platform", "darwin")
MOUNT_IT = "need the /proc of this pid namespace; mount it first"


@pytest.mark.parametrize(
    ("lack", "arguments", "status", "said"),
    [
        (NO_PROC, f"stop {NO_PID}", 4, f"stop and diagnose {MOUNT_IT}"),
        (NO_PROC, f"diagnose {NO_PID}", 4, f"stop and diagnose {MOUNT_IT}"),
        (HIDES, f"stop {NO_PID}", 3, f"/proc hides process {NO_PID} from your user "),
        (DARWIN, "run -- true", 125, "run needs Linux, this is darwin"),
        pytest.param(
            *(NO_FILE, "run -- true", 125, "run: no descriptor is free"), marks=has_run
        ),
    ],
)
def test_what_the_system_lacks_is_one_line_and_a_status(
    lack: tuple[Any, str, Any],
    arguments: str,
    status: int,
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(*lack)
        assert main(arguments.split()) == status
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"process-terminate: {said}")


@has_run
@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        ("run --timeout=0.1 -- sleep 60", 124, ""),
        (f"stop --json {NO_PID}", 3, "[]"),
        ("exit-code nothing", 2, ""),
    ],
)
def test_command_works_without_stderr(arguments: str, status: int, said: str) -> None:
    script = f'"$@" {arguments} 2>&-'
    done = completed("/bin/sh", "-c", script, "sh", *COMMAND, stderr=None)
    assert (done.returncode, done.stdout.strip()) == (status, said)


def test_command_prints_to_a_stream_that_a_program_has_put_in_its_place() -> None:
    with redirect_stdout(io.StringIO()) as printed:
        assert main(["exit-code", "137"]) == 0
    assert "SIGKILL" in printed.getvalue()


def test_diagnose_prints_what_the_library_says(
    sleeper: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    process = sleeper()
    assert main(["diagnose", str(process.pid)]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"pid {process.pid} ({' '.join(SLEEP)}) has been alive for ")
    assert main(["diagnose", "--tree", "--json", str(process.pid)]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert set(found) == set(process_terminate.diagnose(process.pid).as_dict())


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("-9", "killed by SIGKILL (9)"),
        ("exit code 137", "-9 in Python, 137 in a shell"),
        ("0xC0000005", "access violation"),
        ("120", "could not write the rest of stdout"),
    ],
)
def test_exit_code_says_what_a_number_means(
    text: str, meaning: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["exit-code", *text.split()]) == 0
    assert meaning in capsys.readouterr().out.splitlines()[0]


def test_exit_code_as_json_has_each_meaning(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["exit-code", "--json", "137"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["codes"] for one in found] == [[-9, 137], [137]]
    assert set(found[0]) == {"codes", "meaning", "sender", "look", "source"}


@pytest.mark.parametrize("name", ["stop", "diagnose", "exit-code"])
def test_reader_that_has_gone_changes_no_status(name: str, sleeper: Any) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    words = ["137"] if name == "exit-code" else [str(sleeper().pid)]
    done = call(name, *words, stdout=writing)
    os.close(writing)
    assert (done.stderr, done.returncode) == ("", 0)
