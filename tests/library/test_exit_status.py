"""ExitStatus: what a number says of a process's end."""

import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from evidence.measure import leftovers
from process_terminate import ExitStatus

# The default action of these is not to end the process; see signal(7).
HARMLESS = {
    signal.SIGCHLD,
    signal.SIGCONT,
    signal.SIGSTOP,
    signal.SIGTSTP,
    signal.SIGTTIN,
    signal.SIGTTOU,
    signal.SIGURG,
    signal.SIGWINCH,
}
# Without 32 and 33, which glibc has for itself: posix_spawn() ignores them.
DEADLY = sorted(map(int, signal.valid_signals() - HARMLESS))

# No example database: a file less to ignore. Small ranges are run through whole.
every_value = settings(max_examples=400, deadline=None, database=None)
many_values = settings(max_examples=100, deadline=None, database=None)
codes = st.integers(-64, 255)
windows_codes = st.integers(-(2**31), 2**32 - 1)
shell_codes = st.integers(0, 255)
no_codes = st.floats() | st.text() | st.booleans() | st.binary() | st.complex_numbers()


@pytest.fixture
def _deaths() -> Iterator[None]:
    """Let children die of any signal, leave no core file, and leave no process."""
    limits = resource.getrlimit(resource.RLIMIT_CORE)
    # What nohup, or a shell's "&", has ignored, children would ignore, too.
    ignored = [
        number
        for number in signal.valid_signals()
        if signal.getsignal(number) == signal.SIG_IGN
    ]
    resource.setrlimit(resource.RLIMIT_CORE, (0, limits[1]))
    for number in ignored:
        signal.signal(number, signal.SIG_DFL)
    with leftovers.ended() as left:
        yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, limits)
    assert left == []


def run_shell(command: str) -> subprocess.CompletedProcess[str]:
    """Run a command of a shell to its end."""
    return subprocess.run(
        ["/bin/sh", "-c", command],
        check=False,
        capture_output=True,
        text=True,
        timeout=30,
    )


@given(codes)
@every_value
def test_status_is_a_death_or_an_exit(code: int) -> None:
    """Signal, name and `killed` go together, and only negative codes have them."""
    status = ExitStatus(code)
    died = code < 0
    assert status.killed is died
    assert status.signal == (-code if died else None)
    assert bool(status.signal_name) is died


@given(codes)
@every_value
def test_status_succeeds_only_with_zero(code: int) -> None:
    """Every other code is a failure."""
    assert ExitStatus(code).success is (code == 0)


@given(codes)
@every_value
def test_status_shows_in_a_shell_as_one_byte(code: int) -> None:
    """128 + n for a death by signal n, else the code itself."""
    assert ExitStatus(code).shell_code == (128 - code if code < 0 else code)


@given(codes.filter(lambda code: code < 0))
@every_value
def test_death_comes_back_from_a_shell(code: int) -> None:
    """What a shell shows of a death is read as that death."""
    status = ExitStatus(code)
    assert status.shell_code is not None
    assert ExitStatus.from_shell(status.shell_code) == status


@given(shell_codes)
@every_value
def test_shell_code_comes_back_from_a_status(code: int) -> None:
    """Reading a shell's number loses nothing."""
    assert ExitStatus.from_shell(code).shell_code == code


@given(shell_codes)
@every_value
def test_shell_code_is_a_death_from_129_to_192(code: int) -> None:
    """128 + n for the 64 signals of Linux, and nothing else."""
    assert ExitStatus.from_shell(code).killed is (129 <= code <= 192)


@given(windows_codes | st.none())
@many_values
@example(None)
def test_status_is_one_line_for_people(code: int | None) -> None:
    """Whatever the code, str() says something, in one line, and names the code."""
    text = str(ExitStatus(code))
    assert text
    assert "\n" not in text
    assert text == text.strip()


@given(windows_codes)
@many_values
def test_shell_code_of_any_exit_fits_a_byte(code: int) -> None:
    """A shell sees the lowest 8 bits."""
    shown = ExitStatus(code).shell_code
    assert shown is not None
    assert 0 <= shown <= 255


@given(st.integers(2**31, 2**32 - 65))
@many_values
def test_windows_code_is_the_same_with_and_without_a_sign(code: int) -> None:
    """Some tools show the 32 bits as a signed number."""
    assert ExitStatus(code - 2**32) == ExitStatus(code)


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (None, "unknown: it has not ended, or another process reaped it"),
        (0, "succeeded (0)"),
        (3, "exited with 3"),
        (-15, "killed by SIGTERM (15); a shell shows 143"),
        (-9, "killed by SIGKILL (9); a shell shows 137"),
        (143, "exited with 143; what a shell shows for a death by SIGTERM"),
        (241, "exited with 241; what sys.exit(-15) becomes"),
        (
            255,
            "exited with 255; sys.exit(-1), or a multiprocessing forkserver died "
            "and took the true exit code of its worker with it",
        ),
        (
            1,
            "exited with 1; an uncaught exception or sys.exit(1); "
            "on Windows also Popen.terminate()",
        ),
        (15, "exited with 15; on Windows also os.kill(pid, SIGTERM)"),
        (128, "exited with 128"),
        (256, "exited with 0x100"),
        (
            0x10000,
            "exited with 0x10000; on Windows: multiprocessing's terminate() or kill()",
        ),
        (0xC000013A, "exited with 0xc000013a; on Windows: Ctrl-C"),
        (-1073741510, "exited with 0xc000013a; on Windows: Ctrl-C"),
    ],
)
def test_status_says_what_happened(code: int | None, sentence: str) -> None:
    """The sentence names the code, and what else it may have been."""
    assert str(ExitStatus(code)) == sentence


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have others")
@pytest.mark.parametrize(
    ("number", "name"),
    [
        (2, "SIGINT"),
        (32, "signal 32"),
        (33, "signal 33"),
        (34, "SIGRTMIN"),
        (36, "SIGRTMIN+2"),
        (64, "SIGRTMAX"),
    ],
)
def test_signal_has_a_name(number: int, name: str) -> None:
    """Realtime signals are counted from SIGRTMIN, glibc's own have a number."""
    assert ExitStatus(-number).signal_name == name


def test_signal_without_realtime_signals_has_a_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """MacOS has no SIGRTMIN to count from."""
    monkeypatch.delattr(signal, "SIGRTMIN", raising=False)
    assert ExitStatus(-40).signal_name == "signal 40"


def test_unknown_status_is_neither_success_nor_death() -> None:
    """Of what nobody knows nothing is said."""
    status = ExitStatus(None)
    assert not status.success
    assert not status.killed
    assert [status.signal, status.signal_name, status.shell_code] == [None] * 3


def test_status_of_terminate_process_is_a_kill() -> None:
    """On Windows a kill is an exit code like any other, which nobody else uses."""
    status = ExitStatus(0x10000)
    assert status.killed
    assert status.signal is None


@given(no_codes)
@many_values
@example(True)
@example("15")
@example(15.0)
def test_status_of_something_else_is_refused(code: Any) -> None:
    """A TypeError shows what it got."""
    with pytest.raises(TypeError) as raised:
        ExitStatus(code)
    assert str(raised.value) == f"an exit code is an int or None, not {code!r}"


@pytest.mark.parametrize("code", [2**32, -(2**31) - 1, 10**100])
def test_status_of_more_than_32_bits_is_refused(code: int) -> None:
    """No system has such exit codes."""
    with pytest.raises(ValueError, match=f"^no process leaves the exit code {code}$"):
        ExitStatus(code)


@given(no_codes | st.none())
@many_values
@example(None)
def test_shell_code_of_something_else_is_refused(code: Any) -> None:
    """A TypeError shows what it got; a shell always has a number."""
    with pytest.raises(TypeError) as raised:
        ExitStatus.from_shell(code)
    assert str(raised.value) == f"a shell's $? is an int, not {code!r}"


@pytest.mark.parametrize("code", [-1, 256, -15])
def test_shell_code_of_more_than_a_byte_is_refused(code: int) -> None:
    """A ValueError says what range a shell has."""
    with pytest.raises(ValueError, match=rf"^a shell's \$\? is 0 to 255, not {code}$"):
        ExitStatus.from_shell(code)


@pytest.mark.usefixtures("_deaths")
def test_death_is_read_from_a_returncode() -> None:
    """Every signal that ends a process is known by the code that it leaves."""
    read = {n: ExitStatus(run_shell(f"kill -{n} $$").returncode) for n in DEADLY}
    assert {n: status.signal for n, status in read.items()} == {n: n for n in DEADLY}
    assert all(status.killed and status.signal_name for status in read.values())


@pytest.mark.usefixtures("_deaths")
def test_death_is_read_from_a_shell() -> None:
    """The same by way of $?."""
    shown = {n: run_shell(f"/bin/sh -c 'kill -{n} $$'; echo $?") for n in DEADLY}
    read = {n: ExitStatus.from_shell(int(run.stdout)) for n, run in shown.items()}
    assert read == {n: ExitStatus(-n) for n in DEADLY}


@pytest.mark.usefixtures("_deaths")
@pytest.mark.parametrize("code", [0, 3, 143, 255])
def test_exit_is_read_from_a_returncode(code: int) -> None:
    """An exit, even with 143, is no death."""
    status = ExitStatus(run_shell(f"exit {code}").returncode)
    assert status == ExitStatus(code)
    assert not status.killed


@pytest.mark.usefixtures("_deaths")
def test_signal_has_the_name_that_python_gives() -> None:
    """A death by a signal that Python knows bears its name."""
    named = {int(s): s.name for s in signal.Signals if s in DEADLY}
    read = {n: ExitStatus(run_shell(f"kill -{n} $$").returncode) for n in named}
    assert {n: status.signal_name for n, status in read.items()} == named
