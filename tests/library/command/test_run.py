"""`process-terminate run`: its exit status, signals, what is left, and process 1."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from commands import (
    COMMAND,
    DROP,
    OTHER,
    REST,
    as_another_user,
    call,
    has_run,
    leaving,
    read,
    sh,
)
from support import (
    DEADLINE,
    NAMESPACE,
    as_process_1,
    completed,
    environment,
    is_running,
)

from process_terminate._command.main import main

pytestmark = pytest.mark.measured


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
def test_run_needs_sigtimedwait(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delattr(signal, "sigtimedwait")
    assert main(["run", "--", "true"]) == 125
    assert "run needs signal.sigtimedwait(), which " in capsys.readouterr().err


@has_run
def test_second_signal_that_hurries_interrupts_no_kill() -> None:
    from process_terminate._command import leftovers  # noqa: PLC0415

    found = leftovers.Leftovers(0, signal.SIGTERM)
    with pytest.raises(leftovers._HurryError):
        found._hurry(signal.SIGTERM, None)
    found._hurry(signal.SIGINT, None)
    assert found.hurried_by == signal.SIGTERM
