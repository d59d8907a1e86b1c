"""The table of exit codes, and how a code is found in a text."""

import signal
import sys

import pytest
from pasted_texts import NO_CODE, PASTED

from process_terminate._exit_codes.meanings import meanings
from process_terminate._exit_codes.pasted import read
from process_terminate._exit_codes.signals import CORE, HARMLESS, SIGNALS

RAW = "as the raw status of os.wait() or os.system(): "


@pytest.mark.parametrize(("text", "code"), PASTED.items())
def test_code_is_read_from_what_people_paste(text: str, code: int) -> None:
    assert read(text) == code


@pytest.mark.parametrize("text", NO_CODE)
def test_text_without_a_code_has_none(text: str) -> None:
    assert read(text) is None


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (7, ["the program chose it: sys.exit(7)", f"{RAW}killed by SIGBUS (7)"]),
        (-40, ["killed by signal 40"]),
        (-20, ["no process: signal 20 does not kill"]),
        (
            139,
            [
                "killed by SIGSEGV (11)",
                "the program chose it: sys.exit(139), perhaps in a handler of the signal",
                f"{RAW}killed by SIGSEGV (11), with a core file",
            ],
        ),
        (
            148,
            [
                "in bash: the job is stopped by SIGTSTP, it is still there",
                "the program chose it: sys.exit(148), perhaps in a handler of the signal",
            ],
        ),
        (250, ["the program chose it: sys.exit(250) or sys.exit(-6)"]),
        (
            256,
            ["on Windows the program, or the system, chose it", f"{RAW}exit code 1"],
        ),
        (2**32, []),
        (-65, []),
    ],
)
def test_code_has_these_meanings(code: int, said: "list[str]") -> None:
    assert [row.meaning for row in meanings(code)] == said


@pytest.mark.skipif(sys.platform != "linux", reason="has the signals of Linux")
def test_signals_that_leave_a_core_file_are_those_of_signal_7() -> None:
    names = "QUIT ILL TRAP ABRT BUS FPE SEGV XCPU XFSZ SYS"
    assert {getattr(signal, f"SIG{name}") for name in names.split()} == CORE


@pytest.mark.skipif(sys.platform != "linux", reason="has the signals of Linux")
def test_signals_have_the_numbers_and_the_words_of_the_system() -> None:
    known = {(one.number, one.name, one.words) for one in SIGNALS}
    usual = {number for number in signal.valid_signals() if number < signal.SIGRTMIN}
    assert known == {
        (number, signal.Signals(number).name, signal.strsignal(number))
        for number in usual - HARMLESS
    }
