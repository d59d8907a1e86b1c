"""The command line: what it prints, what it exits with, and what it leaves running."""

import functools
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stdout, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
import workers
from support import (
    DEADLINE,
    IS_WINDOWS,
    NAMESPACE,
    NO_PID,
    TERMINATED,
    Shell,
    as_process_1,
    completed,
    environment,
    fail,
    is_running,
    not_on_windows,
    posix_signals,
    reaps,
    succeeds,
    wait_until,
)
from terminals import Terminal

import process_terminate
from process_terminate._command import targets
from process_terminate._command.main import main, signal_number
from process_terminate._process import table

pytestmark = pytest.mark.measured
has_run = pytest.mark.skipif(sys.platform != "linux", reason="run needs Linux")

#: A child that sleeps, without a shell.
SLEEP = workers.SLEEP if IS_WINDOWS else ["sleep", "60"]
COMMAND = [sys.executable, "-m", "process_terminate"]
#: A word of the shell that waits until a signal has been handled.
REST = "while :; do sleep 0.1; done"


posix = functools.partial(
    pytest.param,
    marks=not_on_windows("no real-time signals; on Wine, no process 1 and no parent"),
)


def call(
    *arguments: str, prefix: Sequence[str] = (), **options: Any
) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return completed(*prefix, *COMMAND, *arguments, **options)


def sh(
    script: str, *options: str, prefix: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    """Run a shell below `run`."""
    if sys.platform != "linux":
        pytest.skip("run needs Linux")
    return call("run", *options, "--", "/bin/sh", "-c", script, prefix=prefix)


@pytest.fixture
def running() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts `run` with a shell, whose first line is awaited; ends it after the test."""
    started: list[subprocess.Popen[str]] = []
    if sys.platform != "linux":
        pytest.skip("run needs Linux")

    def start(
        script: str, *options: str, prefix: Any = (), **files: Any
    ) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*prefix, *COMMAND, "run", *options, "--", "/bin/sh", "-c", script],
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
            **files,
        )
        started.append(process)
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait(DEADLINE)
        assert process.stdout
        process.stdout.close()


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    """A shell with job control on a terminal of its own."""
    if sys.platform != "linux":
        pytest.skip("run needs Linux")
    opened = Terminal()
    opened.expect("ready> ")
    yield opened
    opened.close()


def read(process: subprocess.Popen[str]) -> str:
    """Return all that a process prints until its end."""
    return process.communicate(timeout=DEADLINE)[0]


@pytest.mark.parametrize(
    ("script", "status"),
    [
        ("true", 0),
        ("exit 7", 7),
        ("kill -KILL $$", 137),
        ("kill -TERM $$", 143),
        ("exit 143", 143),
    ],
)
def test_run_exits_with_the_status_of_the_command(script: str, status: int) -> None:
    done = sh(script)
    assert (done.returncode, done.stderr) == (status, "")


def test_run_terminates_itself_by_sigint_if_that_killed_the_command() -> None:
    assert sh("kill -INT $$").returncode == -signal.SIGINT


@has_run
@pytest.mark.parametrize(
    ("command", "status", "said"),
    [
        ("/no/such/program", 127, "run: /no/such/program: command not found"),
        ("/etc/passwd", 126, "run: /etc/passwd: Permission denied"),
        ("", 127, "run: '': command not found"),
        ("no\x1b[2K\nsuch", 127, "run: no\\x1b[2K\\nsuch: command not found"),
        (None, 125, "run: name the command, for example: run -- sleep 60"),
    ],
)
def test_run_says_why_a_command_cannot_be_started(
    command: str | None, status: int, said: str
) -> None:
    done = call("run", "--", *([] if command is None else [command]))
    assert (done.returncode, done.stderr) == (status, f"process-terminate: {said}\n")


def test_run_leaves_no_descendant_of_a_command_that_ends() -> None:
    done = sh(
        "(trap '' TERM; exec sleep 60) & echo $!\n"
        "setsid sleep 60 & echo $!\n"
        "(setsid sleep 60 & echo $!)\n"
        "exit 3",
        "--grace=0.1",
    )
    assert done.returncode == 3
    pids = [int(line) for line in done.stdout.split()]
    assert len(pids) == 3
    assert [pid for pid in pids if is_running(pid)] == []


@has_run
def test_run_leaves_a_background_job_of_the_shell_that_became_it_alone() -> None:
    run = " ".join([*COMMAND, "run", "--grace=0.1"])
    inner = (
        "setsid sleep 60 >/dev/null & echo $!; (setsid sleep 60 >/dev/null & echo $!)"
    )
    script = f"sleep 60 >/dev/null & echo $!; exec {run} -- sh -c '{inner}'"
    # The first of them keeps stderr open.
    done = completed("/bin/sh", "-c", script, stderr=None)
    earlier, *left = map(int, done.stdout.split())
    assert is_running(earlier)
    psutil.Process(earlier).kill()
    assert [pid for pid in left if is_running(pid)] == []
    assert len(left) == 2


def test_run_stops_a_command_after_the_timeout() -> None:
    done = sh("trap 'echo asked; exit 5' INT; " + REST, "--timeout=1", "--signal=int")
    assert (done.returncode, done.stdout) == (124, "asked\n")
    said = "process-terminate: run: the command did not end within 1 s\n"
    assert done.stderr == said


@pytest.mark.parametrize("script", [f"trap '' TERM; {REST}", "kill -STOP $$"])
def test_run_ends_a_command_that_does_not_respond_to_the_signal(script: str) -> None:
    assert sh(script, "--timeout=0.3", "--grace=0.1").returncode == 124


@pytest.mark.parametrize(
    "name", ["HUP", "QUIT", "USR1", "USR2", "WINCH", "TERM", "ABRT"]
)
def test_run_passes_a_signal_on(name: str, running: Any) -> None:
    trap = f"trap 'echo got; exit 9' {name}; echo ready; {REST}"
    process = running(trap)
    process.send_signal(signal.Signals[f"SIG{name}"])
    assert read(process) == "got\n"
    assert process.returncode == 9


def test_run_passes_an_interrupt_by_kill_on_once(running: Any) -> None:
    process = running(f"trap 'echo got' INT; trap 'exit 4' TERM; echo ready; {REST}")
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "got\n"
    process.terminate()
    assert read(process) == ""
    assert process.returncode == 4


def test_run_kills_what_ignores_sigterm_after_the_grace_period(running: Any) -> None:
    process = running(f"trap '' TERM; echo ready; {REST}", "--grace=0.1")
    process.terminate()
    assert process.wait(DEADLINE) == 137


def masks(status: str) -> list[int]:
    """Return the masks without signals 32 and 33, which glibc ignores at will."""
    return [int(line.split()[1], 16) & ~(3 << 31) for line in status.splitlines()]


@has_run
def test_command_has_the_signals_that_run_was_started_with() -> None:
    shown = ["grep", "-E", "^Sig(Blk|Ign|Cgt)", "/proc/self/status"]
    plain = masks(completed(*shown).stdout)
    assert len(plain) == 3
    assert masks(call("run", "--", *shown).stdout) == plain


@has_run
@pytest.mark.parametrize("name", ["INT", "TTIN"])
def test_signal_that_was_ignored_stays_ignored(name: str) -> None:
    kill = f"kill -{name} $PPID $$"
    script = f"trap '' {name}; exec {' '.join(COMMAND)} run -- sh -c '{kill}'"
    assert completed("/bin/sh", "-c", script).returncode == 0


@has_run
def test_command_has_the_open_files_of_run(tmp_path: Path) -> None:
    with (tmp_path / "file").open("w") as file:
        fd = file.fileno()
        program = f"import os; os.write({fd}, b'hello')"
        done = call("run", "--", sys.executable, "-c", program, pass_fds=[fd])
    assert done.returncode == 0
    assert (tmp_path / "file").read_text() == "hello"


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


@as_process_1
def test_run_as_process_1_exits_with_130_because_no_sigint_terminates_it() -> None:
    assert sh("kill -INT $$", prefix=NAMESPACE).returncode == 130


@as_process_1
def test_run_as_process_1_reaps_orphans() -> None:
    orphans = "for i in 1 2 3 4 5; do (sleep 0.1 &); done"
    wait = "while pgrep -x sleep >/dev/null; do :; done"
    done = sh(f"{orphans}\n{wait}\nps -e -o stat=,comm=", prefix=NAMESPACE)
    assert done.returncode == 0
    states = {line.split()[0][0] for line in done.stdout.splitlines()}
    assert len(done.stdout.splitlines()) >= 3
    assert "Z" not in states


@as_process_1
def test_run_as_process_1_passes_sigterm_on(running: Any) -> None:
    trap = f"trap 'echo asked; exit 6' TERM; echo ready; {REST}"
    process = running(trap, prefix=NAMESPACE)
    (first,) = psutil.Process(process.pid).children()
    first.terminate()
    assert read(process) == "asked\n"
    assert process.returncode == 6


#: Says when it has a handler, and when it is asked to end.
ORPHAN = "trap 'echo asked; exit' TERM; echo up; while :; do sleep 0.05; done"


@as_process_1
def test_run_as_process_1_gives_orphans_time_to_end(tmp_path: Path) -> None:
    said = tmp_path / "said"
    orphan = f'(setsid sh -c "{ORPHAN}" >{said} &)'
    script = f"{orphan}\nuntil [ -s {said} ]; do :; done; exit 2"
    done = sh(script, "--grace=0.2", prefix=NAMESPACE)
    assert done.returncode == 2
    assert said.read_text() == "up\nasked\n"


#: What a command leaves: it says when it is asked to end, but ends for a file alone.
#: If nothing kills it, it ends after a minute.
IGNORING = """
trap 'echo asked' TERM
echo $$ >"$1"
i=0
while [ $i -lt 1200 ]; do
    [ -e "$1.end" ] && echo ended && exit
    sleep 0.05
    i=$((i + 1))
done
"""


def leaving(file: Path) -> str:
    """Return a command that leaves a process, which writes its pid into a file."""
    script = file.with_suffix(".sh")
    script.write_text(IGNORING)
    up = f"until [ -s {file} ]; do sleep 0.01; done"
    return f"setsid sh {script} {file} & {up}; echo ready; exit 3"


@pytest.mark.parametrize(
    ("name", "status"),
    [("INT", -signal.SIGINT), ("TERM", 3), ("HUP", 3)],
)
def test_signal_kills_at_once_what_the_command_has_left(
    name: str, status: int, running: Any, tmp_path: Path
) -> None:
    file = tmp_path / "pid"
    process = running(leaving(file), "--grace=600")
    assert process.stdout.readline() == "asked\n"
    process.send_signal(signal.Signals[f"SIG{name}"])
    assert read(process) == ""
    assert process.returncode == status
    assert not is_running(int(file.read_text()))


def test_signal_that_was_ignored_leaves_the_leftovers_their_time(
    running: Any, tmp_path: Path
) -> None:
    file = tmp_path / "pid"
    ignoring = ["/bin/sh", "-c", 'trap "" HUP; exec "$@"', "sh"]
    process = running(leaving(file), "--grace=600", prefix=ignoring)
    assert process.stdout.readline() == "asked\n"
    process.send_signal(signal.SIGHUP)
    (tmp_path / "pid.end").touch()
    assert read(process) == "ended\n"
    assert process.returncode == 3


@as_process_1
def test_interrupt_of_leftovers_is_the_status_of_process_1(
    running: Any, tmp_path: Path
) -> None:
    script = leaving(tmp_path / "pid")
    process = running(script, "--grace=600", prefix=NAMESPACE)
    assert process.stdout.readline() == "asked\n"
    (first,) = psutil.Process(process.pid).children()
    first.send_signal(signal.SIGINT)
    assert read(process) == ""
    assert process.returncode == 130


@as_process_1
def test_run_without_its_own_proc_starts_nothing() -> None:
    done = sh("echo started", prefix=["unshare", "--pid", "--fork"])
    assert (done.returncode, done.stdout) == (125, "")
    assert "it needs the /proc of this pid namespace" in done.stderr


@pytest.fixture
def sleeper() -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts a program that sleeps; kills it after the test."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*command: str, **options: Any) -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen(command or SLEEP, **options))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait(DEADLINE)


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
    assert (first.wait(), second.wait()) == (-15, -9)


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
    process.wait()
    assert targets.names_of(shown) == set()
    assert targets.describe(shown.pid, targets.command_of(shown)) == f"pid {shown.pid}"


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


#: macOS has none.
RTMIN, RTMAX = getattr(signal, "SIGRTMIN", 0), getattr(signal, "SIGRTMAX", 0)


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


#: Root without the right to signal others is like another user.
DROP = ["setpriv", "--bounding-set=-kill", "--inh-caps=-kill"]
#: Becomes another user.
OTHER = "setpriv --reuid=65534 --clear-groups"


as_another_user = pytest.mark.skipif(
    IS_WINDOWS or os.geteuid() != 0 or not succeeds(*DROP, *OTHER.split(), "true"),
    reason="only root can become another user by setpriv",
)


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


@as_another_user
def test_run_exits_with_125_if_it_cannot_stop_what_is_left() -> None:
    start = f"{OTHER} sleep 60 >/dev/null 2>&1 & echo $!"
    script = f"{start}; until grep -q 65534 /proc/$!/status; do :; done"
    done = sh(script, "--grace=0.1", prefix=DROP)
    pid = int(done.stdout)
    assert psutil.Process(pid).name() == "sleep"
    psutil.Process(pid).kill()
    assert done.returncode == 125
    assert f"run: not permitted to signal pid {pid} " in done.stderr


@as_another_user
def test_signal_to_run_does_not_hide_what_it_cannot_stop(
    running: Any, tmp_path: Path
) -> None:
    file = tmp_path / "pid"
    other = f"{OTHER} sleep 60 >/dev/null 2>&1 & echo $! >{file}.other"
    seen = "until grep -q 65534 /proc/$!/status; do :; done"
    script = f"{other}; {seen}; {leaving(file)}"
    with (tmp_path / "said").open("w") as said:
        process = running(script, "--grace=600", prefix=DROP, stderr=said)
        assert process.stdout.readline() == "asked\n"
        process.terminate()
        assert read(process) == ""
    pid = int((tmp_path / "pid.other").read_text())
    psutil.Process(pid).kill()
    assert process.returncode == 125
    assert f"run: not permitted to signal pid {pid} " in (tmp_path / "said").read_text()
    assert not is_running(int(file.read_text()))


@has_run
def test_run_does_not_wait_for_the_reader_of_its_messages() -> None:
    """Here the warning that SIGKILL was needed, in a pipe that is full."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with suppress(BlockingIOError):
        while True:
            os.write(writer, bytes(4096))
    os.set_blocking(writer, True)
    script = "trap '' TERM; sleep 60 & exit 7"
    command = [*COMMAND, "run", "--grace=0.1", "--", "/bin/sh", "-c", script]
    done = subprocess.run(
        command, stderr=writer, env=environment(), timeout=DEADLINE, check=False
    )
    assert done.returncode == 7
    os.close(reader)
    os.close(writer)


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


@has_run
def test_run_needs_sigtimedwait(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delattr(signal, "sigtimedwait")
    assert main(["run", "--", "true"]) == 125
    assert "run needs signal.sigtimedwait(), which " in capsys.readouterr().err


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


@has_run
def test_second_signal_that_hurries_interrupts_no_kill() -> None:
    from process_terminate._command import leftovers  # noqa: PLC0415

    found = leftovers.Leftovers(0, signal.SIGTERM)
    with pytest.raises(leftovers._HurryError):
        found._hurry(signal.SIGTERM, None)
    found._hurry(signal.SIGINT, None)
    assert found.hurried_by == signal.SIGTERM


def test_command_prints_to_a_stream_that_a_program_has_put_in_its_place() -> None:
    with redirect_stdout(io.StringIO()) as printed:
        assert main(["exit-code", "137"]) == 0
    assert "SIGKILL" in printed.getvalue()


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
