"""The signals that terminate a process: what each means, and what sends it.

The numbers are those of Linux on x86 and ARM.
"""

from __future__ import annotations

from typing import NamedTuple

#: A shell adds it to the number of the signal: every shell in use takes the least that
#: POSIX permits.
SHELL_BASE = 128
#: That of Linux; other systems have fewer.
HIGHEST = 64


class Signal(NamedTuple):
    """A signal whose default action terminates the process."""

    number: int
    name: str
    words: str
    """What a shell prints for it, see strsignal(3)."""
    sender: str
    look: str


#: What to look at after a crash in C code.
_CRASH = (
    "Run it with python -X faulthandler, which prints the line of Python; "
    "the core file by coredumpctl or gdb"
)

SIGNALS = (
    Signal(
        1,
        "SIGHUP",
        "Hangup",
        "the system, when a terminal or an ssh connection closes; a shell, to its "
        "jobs, when it exits; a person, because many servers reload on it",
        "Start it with nohup, setsid or tmux, or as a service",
    ),
    Signal(
        2,
        "SIGINT",
        "Interrupt",
        "Ctrl-C in the terminal, to all processes of the foreground; "
        "the stop button of a notebook, or of some editors",
        "Nothing, if that was you",
    ),
    Signal(
        3,
        "SIGQUIT",
        "Quit",
        "Ctrl-\\ in the terminal; a person who wants a core file",
        "The core file, by coredumpctl",
    ),
    Signal(
        4,
        "SIGILL",
        "Illegal instruction",
        "the processor, for an instruction that it does not know",
        "A package that was built for a newer processor; " + _CRASH,
    ),
    Signal(
        5,
        "SIGTRAP",
        "Trace/breakpoint trap",
        "a breakpoint, or a program that crashes on purpose, for example Chromium",
        _CRASH,
    ),
    Signal(
        6,
        "SIGABRT",
        "Aborted",
        "the process itself, by abort(): a failed check in C or C++, damaged memory, "
        "or 'Fatal Python error'; the watchdog of systemd",
        "The last lines on stderr; " + _CRASH,
    ),
    Signal(
        7,
        "SIGBUS",
        "Bus error",
        "the kernel, for memory of a file that is too short, or that has no room: "
        "often /dev/shm is full",
        "df -h /dev/shm; in Docker --shm-size, or --ipc=host",
    ),
    Signal(
        8,
        "SIGFPE",
        "Floating point exception",
        "the processor, for a division of integers by zero in C code",
        _CRASH,
    ),
    Signal(
        9,
        "SIGKILL",
        "Killed",
        "the kernel, because memory ran out (OOM killer); Docker, Kubernetes, systemd "
        "or a supervisor, after the grace period; kill() or stop() of a program; a "
        "person, by kill -9",
        "journalctl -k --grep 'out of memory'; OOMKilled in docker inspect or kubectl "
        "describe pod; memory.events of the cgroup; the time between SIGTERM and the "
        "end; the log of the supervisor",
    ),
    Signal(
        10,
        "SIGUSR1",
        "User defined signal 1",
        "a program or a person, for a purpose of the program",
        "Whether the handler was set before the signal came",
    ),
    Signal(
        11,
        "SIGSEGV",
        "Segmentation fault",
        "the kernel, because C code used memory that it does not own; "
        "a recursion in C that is too deep",
        _CRASH,
    ),
    Signal(
        12,
        "SIGUSR2",
        "User defined signal 2",
        "a program or a person, for a purpose of the program",
        "Whether the handler was set before the signal came",
    ),
    Signal(
        13,
        "SIGPIPE",
        "Broken pipe",
        "the kernel, because no process reads the pipe or socket: its reader, "
        "for example head, has exited. Python ignores it and raises BrokenPipeError",
        "The reader of the pipe",
    ),
    Signal(
        14,
        "SIGALRM",
        "Alarm clock",
        "a timer of the process itself, by alarm() or setitimer()",
        "Whether the handler was set before the timer",
    ),
    Signal(
        15,
        "SIGTERM",
        "Terminated",
        "terminate() or stop() of a program; systemd, docker stop, Kubernetes, "
        "timeout or a CI service, to stop it; a person, by kill",
        "Who stops it: a deployment, a time limit, a shutdown; journalctl -u UNIT; "
        "kubectl describe pod",
    ),
    Signal(
        16,
        "SIGSTKFLT",
        "Stack fault",
        "another process, by kill(): the kernel never sends it",
        "Which program sends signal 16",
    ),
    Signal(
        24,
        "SIGXCPU",
        "CPU time limit exceeded",
        "the kernel, because of a limit on processor time",
        "ulimit -t; RLIMIT_CPU; the batch system",
    ),
    Signal(
        25,
        "SIGXFSZ",
        "File size limit exceeded",
        "the kernel, because of a limit on the size of files",
        "ulimit -f; Python ignores it and raises OSError",
    ),
    Signal(
        26,
        "SIGVTALRM",
        "Virtual timer expired",
        "a timer of the process itself, by setitimer()",
        "Whether the handler was set before the timer",
    ),
    Signal(
        27,
        "SIGPROF",
        "Profiling timer expired",
        "a profiler inside the process",
        "The profiler",
    ),
    Signal(
        29,
        "SIGIO",
        "I/O possible",
        "the kernel, because the process asked for it by fcntl(O_ASYNC)",
        "Whether the handler was set before O_ASYNC",
    ),
    Signal(
        30,
        "SIGPWR",
        "Power failure",
        "LXC, when a container is shut down; a service that watches the power supply",
        "The logs of LXC or of that service",
    ),
    Signal(
        31,
        "SIGSYS",
        "Bad system call",
        "the kernel, because a sandbox (seccomp) forbids a system call",
        "The seccomp profile of the container or the service",
    ),
)

#: Signals whose default action does not terminate a process, see signal(7).
HARMLESS = {17, 18, 19, 20, 21, 22, 23, 28}
#: Those that stop it.
STOPS = {19: "SIGSTOP", 20: "SIGTSTP", 21: "SIGTTIN", 22: "SIGTTOU"}
#: Signals whose default action also writes a core file, see signal(7).
CORE = {3, 4, 5, 6, 7, 8, 11, 24, 25, 31}
