"""The table of exit codes, for `ExitStatus`, the command, and the site's decoder."""

from __future__ import annotations

from dataclasses import dataclass, field

from process_terminate._exit_codes.signals import HIGHEST, SHELL_BASE, SIGNALS, STOPS

_CPYTHON = "https://github.com/python/cpython/blob/3.14/Lib/"
_NTSTATUS = (
    "https://learn.microsoft.com/en-us/openspecs/windows_protocols/ms-erref/"
    "596a1078-e883-4972-9bbc-49e60bebca55"
)
_BASH = "https://www.gnu.org/software/bash/manual/html_node/Exit-Status.html"
_TIMEOUT = (
    "https://www.gnu.org/software/coreutils/manual/html_node/timeout-invocation.html"
)


@dataclass(frozen=True)
class Row:
    """One meaning of one or more numbers."""

    codes: tuple[int, ...]
    """Python's number, and that of a shell if it is another one."""
    meaning: str
    sender: str = ""
    """What may have sent the signal, or what may be the cause."""
    look: str = ""
    """What to look at next."""
    source: str = field(default="", repr=False)
    words: tuple[str, ...] = ()
    """What messages say instead of the number."""


_EXITS = (
    Row(
        (0,),
        "success",
        "any program; also one whose handler of SIGTERM calls sys.exit(0)",
        "Nothing",
        "https://docs.python.org/3/library/sys.html#sys.exit",
    ),
    Row(
        (1,),
        "an uncaught exception or sys.exit(1); on Windows also Popen.terminate()",
        "the program itself, by sys.exit(1) or sys.exit('text')",
        "The traceback, or the last line on stderr",
        _CPYTHON + "subprocess.py",
    ),
    Row(
        (2,),
        "by custom a wrong use of the command",
        "argparse; Python, if it cannot open the program file; pytest, if interrupted",
        "The usage line on stderr; the command line",
        _BASH,
    ),
    Row(
        (120,),
        "Python could not write the rest of stdout or stderr at its exit",
        "a reader of the pipe that has exited, or a full disk",
        "What stdout leads to, for example '| head'; df",
        "https://docs.python.org/3/library/sys.html#sys.exit",
    ),
    Row(
        (124,),
        "timeout(1), or process-terminate run --timeout, stopped the command",
        "the time limit",
        "process-terminate diagnose, while it runs; the limit itself",
        _TIMEOUT,
    ),
    Row(
        (125,),
        "timeout(1), docker run or process-terminate run failed before the command ran",
        "the runner: a wrong option, a missing image",
        "The last line on stderr",
        _TIMEOUT,
    ),
    Row(
        (126,),
        "in a shell: found, but not executable",
        "a shell, timeout, docker run or process-terminate run",
        "ls -l of the file; chmod +x; mount options (noexec); the first line of a script",
        _BASH,
    ),
    Row(
        (127,),
        "in a shell: command not found",
        "a shell, timeout, docker run or process-terminate run; "
        "the loader, if a shared library is missing",
        "PATH of that process; ldd of the program",
        _BASH,
    ),
    Row(
        (255,),
        "sys.exit(-1), or a multiprocessing forkserver died, or two threads waited "
        "for one of its workers, and the true exit code is lost",
        "the program itself; ssh, if the connection failed",
        "stderr; whether the worker is still running",
        _CPYTHON + "multiprocessing/popen_forkserver.py",
    ),
)

_WINDOWS = (
    Row(
        (3,),
        "on Windows also abort() of some C runtimes",
        "C code: a failed assertion",
        "stderr; the Windows event log",
        "https://learn.microsoft.com/en-us/cpp/c-runtime-library/reference/abort",
    ),
    Row(
        (15,),
        "on Windows also os.kill(pid, SIGTERM)",
        "a Python program, by os.kill() or psutil",
        "The program that stopped it",
        "https://docs.python.org/3/library/os.html#os.kill",
    ),
    Row(
        (0x10000,),
        "on Windows: multiprocessing's terminate() or kill()",
        "the parent process",
        "The program that stopped it",
        _CPYTHON + "multiprocessing/popen_spawn_win32.py",
    ),
    Row(
        (0xC0000005,),
        "on Windows: access violation (STATUS_ACCESS_VIOLATION)",
        "the system, because C code used memory that it does not own",
        "python -X faulthandler; the extension module; the Windows event log",
        _NTSTATUS,
        ("STATUS_ACCESS_VIOLATION", "access violation"),
    ),
    Row(
        (0xC000001D,),
        "on Windows: illegal instruction (STATUS_ILLEGAL_INSTRUCTION)",
        "the processor, for an instruction that it does not know",
        "A package that was built for a newer processor",
        _NTSTATUS,
        ("STATUS_ILLEGAL_INSTRUCTION",),
    ),
    Row(
        (0xC00000FD,),
        "on Windows: stack overflow (STATUS_STACK_OVERFLOW)",
        "the system, because of a recursion that is too deep",
        "python -X faulthandler; sys.setrecursionlimit(); threading.stack_size()",
        _NTSTATUS,
        ("STATUS_STACK_OVERFLOW", "stack overflow"),
    ),
    Row(
        (0xC0000135,),
        "on Windows: a DLL was not found (STATUS_DLL_NOT_FOUND)",
        "the loader, before the program began",
        "PATH; the Visual C++ runtime; the folder of the program",
        _NTSTATUS,
        ("STATUS_DLL_NOT_FOUND",),
    ),
    Row(
        (0xC000013A,),
        "on Windows: Ctrl-C (STATUS_CONTROL_C_EXIT)",
        "Ctrl-C or Ctrl-Break in the console",
        "Nothing, if that was you",
        _NTSTATUS,
        ("STATUS_CONTROL_C_EXIT",),
    ),
    Row(
        (0xC0000142,),
        "on Windows: a DLL failed to start (STATUS_DLL_INIT_FAILED)",
        "a DLL that reported an error before the program began",
        "The DLLs of the program; the Windows event log",
        _NTSTATUS,
        ("STATUS_DLL_INIT_FAILED",),
    ),
    Row(
        (0xC0000374,),
        "on Windows: damaged heap (STATUS_HEAP_CORRUPTION)",
        "the system, because C code has overwritten memory",
        "The extension module; the Windows event log",
        _NTSTATUS,
        ("STATUS_HEAP_CORRUPTION", "heap corruption"),
    ),
    Row(
        (0xC0000409,),
        "on Windows: fast fail (STATUS_STACK_BUFFER_OVERRUN)",
        "C code: abort(), an overwritten stack, or another failed check "
        "of the C runtime",
        "stderr; the extension module; the Windows event log",
        _NTSTATUS,
        ("STATUS_STACK_BUFFER_OVERRUN",),
    ),
)

_DEATHS = tuple(
    Row(
        (-number, SHELL_BASE + number),
        f"killed by {name} ({number})",
        sender,
        look,
        "https://man7.org/linux/man-pages/man7/signal.7.html",
        (name, words),
    )
    for number, name, words, sender, look in SIGNALS
)

_STOPPED = tuple(
    Row(
        (SHELL_BASE + number,),
        f"in bash: the job is stopped by {name}, it is still there",
        "Ctrl-Z in the terminal, or its use in the background"
        if name != "SIGSTOP"
        else "a person or a program, by kill -STOP",
        "jobs; fg continues it",
        _BASH,
        (name,),
    )
    for number, name in STOPS.items()
)

_BECAME = Row(
    (241,),
    "sys.exit(-15): the system keeps eight bits",
    "a program that passes on the exit code of a child",
    "Exit with 128 - code if the code is negative",
    "https://docs.python.org/3/library/sys.html#sys.exit",
)

#: All that are known, in the order of the page.
ROWS = (*_DEATHS, *_EXITS, *_STOPPED, _BECAME, *_WINDOWS)

#: What an exit code means that is not a signal's, for `ExitStatus`.
ORIGINS = {
    row.codes[0]: row.meaning for row in (*_EXITS[1:], *_WINDOWS) if row.codes[0] != 3
}


def without_sign(code: int) -> int:
    """Return a code of Windows, which has 32 bits, without the sign of some tools."""
    return code + 2**32 if -(2**31) <= code < -HIGHEST else code
