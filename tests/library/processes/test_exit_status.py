"""ExitStatus: what a number says of a process's end."""

import functools
import signal
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from support import completed, not_on_windows

from process_terminate import ExitStatus

# The default action of these is not to end the process; see signal(7).
HARMLESS = {"CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "WINCH"}
_HARMLESS = {getattr(signal, f"SIG{name}", None) for name in HARMLESS}
# Without 32 and 33, which glibc has for itself: posix_spawn() ignores them.
DEADLY = sorted(map(int, signal.valid_signals() - _HARMLESS))

CODES = range(-64, 256)
#: The ends of each range, and some in between.
WINDOWS_CODES = [-(2**31), -(2**31) + 1, -65, -64, *CODES, 256, 0x10000, 2**31]
WINDOWS_CODES += [2**31 + 77, 2**32 - 66, 2**32 - 65, 2**32 - 1]
posix = functools.partial(
    pytest.param, marks=not_on_windows("other words; test_elsewhere.py has them")
)
NO_CODES = [15.0, float("nan"), "15", "", True, False, b"15", 15j, [15], object()]


@pytest.fixture
def _deaths() -> Iterator[None]:
    """Let children die of any signal, leave no core file, and leave no process."""
    resource = pytest.importorskip(
        "resource", reason="Windows has no signals to die of"
    )
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
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, limits)


def test_status_is_a_death_or_an_exit() -> None:
    for code in CODES:
        status, died = ExitStatus(code), code < 0
        assert status.killed is died
        assert status.signal == (-code if died else None)
        assert bool(status.signal_name) is died
        assert status.success is (code == 0)


def test_status_and_shell_code_come_back_from_each_other() -> None:
    for code in CODES:
        shown = ExitStatus(code).shell_code
        assert shown == (128 - code if code < 0 else code)
        if code < 0:
            assert ExitStatus.from_shell(shown) == ExitStatus(code)
    for shown in range(256):
        status = ExitStatus.from_shell(shown)
        assert status.shell_code == shown
        assert status.killed is (129 <= shown <= 192)


def test_status_of_any_code_is_one_line_and_fits_a_byte() -> None:
    for code in WINDOWS_CODES:
        text = str(ExitStatus(code))
        assert text == " ".join(text.split()) != ""
        assert ExitStatus(code).shell_code in range(256)


@pytest.mark.parametrize("code", [2**31, 2**31 + 77, 2**32 - 65])
def test_windows_code_is_the_same_with_and_without_a_sign(code: int) -> None:
    assert ExitStatus(code - 2**32) == ExitStatus(code)


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (None, "unknown: still running, or reaped elsewhere"),
        (0, "succeeded (0)"),
        (3, "exited with 3"),
        posix(-15, "killed by SIGTERM (15); a shell shows 143"),
        posix(-9, "killed by SIGKILL (9); a shell shows 137"),
        posix(
            143,
            "exited with 143 (a shell reports 143 for a process terminated by SIGTERM)",
        ),
        posix(241, "exited with 241 (sys.exit(-15) becomes 241)"),
        (
            255,
            "exited with 255; sys.exit(-1), or a multiprocessing forkserver died, or "
            "two threads waited for one of its workers, and the true exit code is lost",
        ),
        (
            1,
            "exited with 1; an uncaught exception or sys.exit(1); "
            "on Windows also Popen.terminate()",
        ),
        (
            120,
            "exited with 120; Python could not write the rest of stdout or stderr "
            "at its exit",
        ),
        (15, "exited with 15; on Windows also os.kill(pid, SIGTERM)"),
        (128, "exited with 128"),
        (256, "exited with 0x100"),
        (
            0x10000,
            "exited with 0x10000; on Windows: multiprocessing's terminate() or kill()",
        ),
        (
            0xC000013A,
            "exited with 0xc000013a; on Windows: Ctrl-C (STATUS_CONTROL_C_EXIT)",
        ),
        (
            -1073741510,
            "exited with 0xc000013a; on Windows: Ctrl-C (STATUS_CONTROL_C_EXIT)",
        ),
    ],
)
def test_status_says_what_happened(code: int | None, sentence: str) -> None:
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
    assert ExitStatus(-number).signal_name == name


def test_signal_without_realtime_signals_has_a_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(signal, "SIGRTMIN", raising=False)
    assert ExitStatus(-40).signal_name == "signal 40"


def test_unknown_status_is_neither_success_nor_death() -> None:
    status = ExitStatus(None)
    assert not status.success
    assert not status.killed
    assert [status.signal, status.signal_name, status.shell_code] == [None] * 3


def test_status_of_terminate_process_is_a_kill() -> None:
    status = ExitStatus(0x10000)
    assert status.killed
    assert status.signal is None


@pytest.mark.parametrize("code", NO_CODES)
def test_status_of_something_else_is_refused(code: Any) -> None:
    with pytest.raises(TypeError) as raised:
        ExitStatus(code)
    assert str(raised.value) == f"code must be an int or None, got {code!r}"


@pytest.mark.parametrize("code", [2**32, -(2**31) - 1, 10**100])
def test_status_of_more_than_32_bits_is_refused(code: int) -> None:
    with pytest.raises(ValueError, match=f"can leave, got {code}$"):
        ExitStatus(code)


@pytest.mark.parametrize("code", [*NO_CODES, None])
def test_shell_code_of_something_else_is_refused(code: Any) -> None:
    with pytest.raises(TypeError) as raised:
        ExitStatus.from_shell(code)
    assert str(raised.value) == f"code must be an int, got {code!r}"


@pytest.mark.parametrize("code", [-1, 256, -15])
def test_shell_code_of_more_than_a_byte_is_refused(code: int) -> None:
    with pytest.raises(
        ValueError, match=rf"code must be 0 to 255, as \$\? is, got {code}$"
    ):
        ExitStatus.from_shell(code)


@pytest.mark.usefixtures("_deaths")
def test_death_is_read_from_a_returncode() -> None:
    named = {int(s): s.name for s in signal.Signals}
    for number in DEADLY:
        status = ExitStatus(completed("/bin/sh", "-c", f"kill -{number} $$").returncode)
        assert (status.signal, status.killed) == (number, True)
        assert named.get(number, status.signal_name) == status.signal_name != ""


@pytest.mark.usefixtures("_deaths")
def test_death_is_read_from_a_shell() -> None:
    numbers = " ".join(map(str, DEADLY))
    child = "/bin/sh -c 'kill -'$n' $$'"
    shown = completed(
        "/bin/sh", "-c", f"for n in {numbers}; do {child}; echo $?; done"
    ).stdout
    read = [ExitStatus.from_shell(int(line)) for line in shown.split()]
    assert read == [ExitStatus(-number) for number in DEADLY]


def test_status_of_a_process_that_is_gone_says_so() -> None:
    status = ExitStatus(None, gone=True)
    assert str(status) == "ended; its exit code is not available here"
    assert status == ExitStatus(None)
