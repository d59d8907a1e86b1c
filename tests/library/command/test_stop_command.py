"""`process-terminate stop`: what it finds, prints and leaves alone."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from commands import COMMAND, DROP, OTHER, REST, RTMAX, RTMIN, as_another_user, call
from support import (
    DEADLINE,
    TERMINATED,
    Shell,
    completed,
    environment,
    is_running,
    not_on_windows,
    posix_signals,
    reaps,
    wait_until,
)

from process_terminate._command import targets
from process_terminate._command.main import main

pytestmark = pytest.mark.measured


def test_stop_says_which_process_it_stopped(
    sleeper: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    process = sleeper()
    assert main(["stop", str(process.pid)]) == 0
    said = capsys.readouterr().out
    assert re.fullmatch(rf"pid {process.pid} \(.*\) stopped after SIGTERM\n", said)
    assert process.wait(DEADLINE) == TERMINATED.code


@not_on_windows("starts /bin/sh")
def test_stop_prints_one_line_for_each_process(
    sleeper: Any, shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    first = sleeper()
    second = shell("trap '' TERM; echo; exec sleep 60")
    # The name is there a little before the command line.
    wait_until(lambda: psutil.Process(second.pid).cmdline() == ["sleep", "60"])
    arguments = ["stop", "--grace=0.1", str(first.pid), str(second.pid)]
    assert main(arguments) == 0
    said = capsys.readouterr()
    assert said.out == (
        f"pid {first.pid} (sleep 60) stopped after SIGTERM\n"
        f"pid {second.pid} (sleep 60) was killed by SIGKILL\n"
    )
    assert "did not end within 0.1 s of SIGTERM; sent SIGKILL" in said.err
    assert (first.wait(DEADLINE), second.wait(DEADLINE)) == (-15, -9)


#: Not UTF-8, clears a line of the terminal, and begins one that looks like another.
FORGED = b"\xe9t\xe9 \xc3\xa9\x1b[2K\n4711"


@not_on_windows("starts a program with bytes in its command line")
@pytest.mark.parametrize(
    ("encoding", "letter"), [("utf-8:strict", "é"), ("ascii:strict", "\\xe9")]
)
def test_stop_prints_a_foreign_command_line_with_escapes(
    encoding: str, letter: str, sleeper: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", encoding)
    process = sleeper(FORGED, "60", executable=shutil.which("sleep"))
    wait_until(lambda: psutil.Process(process.pid).cmdline()[1:] == ["60"])
    done = call("stop", str(process.pid))
    assert (done.returncode, done.stderr) == (0, "")
    command = f"\\xe9t\\xe9 {letter}\\x1b[2K\\n4711 60"
    assert done.stdout == f"pid {process.pid} ({command}) stopped after SIGTERM\n"


def test_long_command_line_is_cut_in_what_stop_prints() -> None:
    assert targets.describe(4711, "x" * 60) == f"pid 4711 ({'x' * 60})"
    assert targets.describe(4711, "x" * 61) == f"pid 4711 ({'x' * 57}...)"


@not_on_windows("starts /bin/sh")
def test_stop_warns_of_a_foreign_name_with_escapes(
    shell: Shell, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program = tmp_path / "x\x1b[2K\ny"
    program.symlink_to(shutil.which("sleep") or "")
    process = shell(f"trap '' TERM; echo; exec '{program}' 60")
    wait_until(lambda: psutil.Process(process.pid).name() == program.name)
    assert main(["stop", "--grace=0.1", str(process.pid)]) == 0
    said = capsys.readouterr()
    (warning,) = said.err.splitlines()
    assert f"pid {process.pid} (x\\x1b[2K\\ny, " in warning
    assert said.out.count("\n") == 1
    assert "\x1b" not in said.out


@pytest.mark.parametrize("both", [False, True])
def test_stop_tree_prints_each_process_once(
    shell: Shell, capsys: pytest.CaptureFixture[str], both: bool
) -> None:
    root = shell("sleep 60 & echo; wait")
    (child,) = psutil.Process(root.pid).children()
    wait_until(lambda: child.cmdline() == ["sleep", "60"])
    # The child is in its own tree, and in that of its parent.
    pids = [str(root.pid), str(child.pid)] if both else [str(root.pid)]
    assert main(["stop", "--tree", "--json", "--signal=15", *pids]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["pid"] for one in found] == [root.pid, child.pid]
    assert found[1] == {
        "pid": child.pid,
        "command": "sleep 60" if both else "sleep",
        "signal": "SIGTERM",
        "exit_code": -15,
        "error": None,
    }


@reaps
def test_stop_of_a_zombie_sends_nothing(
    sleeper: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    process = sleeper("true")
    wait_until(lambda: not is_running(process.pid))
    assert main(["stop", str(process.pid)]) == 0
    said = (
        f"pid {process.pid} (true) was dead already, but its parent has not reaped it"
    )
    assert capsys.readouterr().out == f"{said}\n"


def test_stop_finds_a_script_by_its_name(sleeper: Any, tmp_path: Path) -> None:
    name = f"{uuid.uuid4()}.py"
    script = tmp_path / name
    script.write_text("print(flush=True); import time; time.sleep(60)")
    process = sleeper(sys.executable, script, stdout=subprocess.PIPE)
    with process.stdout:
        assert process.stdout.readline() in {b"\n", b"\r\n"}
    done = call("stop", "--name", name)
    assert (done.returncode, done.stdout.count("\n")) == (0, 1)
    assert process.wait(DEADLINE) == TERMINATED.code


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["-m", "http.server", "--help"], "http.server"),
        (["-W", "error", "-u", "/some/where/worker.py", "-m"], "worker.py"),
        (["-X", "dev", "/some/where/worker.py"], "worker.py"),
        (["-c", "import time"], ""),
        (["-V"], ""),
    ],
)
def test_name_of_a_python_process_is_its_script_or_module(
    arguments: list[str], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = psutil.Process()
    command = [sys.executable, *arguments]
    monkeypatch.setattr(process, "cmdline", lambda: command)
    program = Path(sys.executable).name
    expected = {process.name(), program, name, *(a for a in arguments if "/" in a)}
    assert targets.names_of(process) == expected - {""}


@reaps
def test_zombie_has_the_name_of_its_program(sleeper: Any) -> None:
    process = sleeper("true")
    shown = psutil.Process(process.pid)
    wait_until(lambda: not is_running(process.pid))
    assert targets.names_of(shown) <= {"true"}
    process.wait(DEADLINE)
    assert targets.names_of(shown) == set()
    assert targets.describe(shown.pid, targets.command_of(shown)) == f"pid {shown.pid}"


@posix_signals
@pytest.mark.parametrize(
    ("text", "number", "name"),
    [("RTMAX-0", RTMAX, "SIGRTMAX"), (f"{RTMIN + 3}", RTMIN + 3, "SIGRTMIN+3")],
)
def test_stop_sends_a_real_time_signal(
    text: str, number: int, name: str, sleeper: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    process = sleeper()
    assert main(["stop", f"--signal={text}", str(process.pid)]) == 0
    assert process.wait(DEADLINE) == -number
    assert capsys.readouterr().out.endswith(f"stopped after {name}\n")


@not_on_windows("what Linux has started on Wine has no parent there")
def test_refused_process_keeps_all_others_running(sleeper: Any) -> None:
    process = sleeper()
    assert main(["stop", str(process.pid), str(os.getppid())]) == 5
    assert process.poll() is None


@posix_signals
def test_force_does_not_stop_the_command_itself(
    capsys: pytest.CaptureFixture[str],
    handler: Callable[[int, Callable[..., object]], None],
) -> None:
    handler(signal.SIGHUP, lambda *_: None)  # The command ignores it from here on.
    assert main(["stop", "--force", str(os.getpid())]) == 5
    assert "is the calling process" in capsys.readouterr().err


def test_missing_process_does_not_keep_the_others(sleeper: Any) -> None:
    process = sleeper()
    assert main(["stop", "4194305", str(process.pid)]) == 3
    assert process.wait(DEADLINE) == TERMINATED.code


@not_on_windows("starts /bin/sh")
def test_force_stops_the_shell_of_the_command() -> None:
    command = " ".join([*COMMAND, "stop", "--force", "$$"])
    done = completed("/bin/sh", "-c", f"{command}; echo survived")
    assert done.returncode == -signal.SIGTERM
    assert re.fullmatch(r"pid \d+ \(.*\) stopped after SIGTERM\n", done.stdout)


@as_another_user
def test_process_of_another_user_is_not_permitted(sleeper: Any) -> None:
    other, own = sleeper(user=65534), sleeper()
    done = call("stop", str(other.pid), str(own.pid), prefix=DROP)
    assert done.returncode == 4
    assert "not permitted to signal it; use its user, or sudo" in done.stderr
    assert other.poll() is None
    assert own.wait(DEADLINE) == TERMINATED.code


@as_another_user
def test_tree_with_a_process_of_another_user_is_an_error(
    shell: Shell, sleeper: Any
) -> None:
    root = shell(f"{OTHER} sleep 60 & echo; wait")
    (child,) = psutil.Process(root.pid).children()
    wait_until(lambda: child.uids().real == 65534)
    second = sleeper()
    pids = [str(root.pid), str(second.pid)]
    done = call("stop", "--tree", "--grace=0.1", *pids, prefix=DROP)
    assert done.returncode == 4
    assert f"stop: not permitted to signal pid {child.pid} " in done.stderr
    assert child.is_running()
    child.kill()
    assert second.wait(DEADLINE) == -signal.SIGTERM


@posix_signals
def test_ctrl_c_kills_the_processes_and_exits_with_130(shell: Shell) -> None:
    process = shell(f"trap 'echo asked' TERM; echo; {REST}")
    command = subprocess.Popen(
        [*COMMAND, "stop", "--grace=60", str(process.pid)],
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    assert process.stdout
    assert process.stdout.readline() == b"asked\n"
    command.send_signal(signal.SIGINT)
    assert (
        "process-terminate: interrupted\n" in command.communicate(timeout=DEADLINE)[1]
    )
    assert command.returncode == 130
    assert process.wait(DEADLINE) == -signal.SIGKILL
