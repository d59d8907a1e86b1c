"""Record what the command `process-terminate` prints, for its page."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from msgspec import Struct

import process_terminate
from evidence import store
from evidence.studies import study
from evidence.studies.runners import MODES
from evidence.studies.study import Report, Study
from process_terminate import stop_tree

PATH = study.FOLDER / "command.json"
_LIBRARY = Path(process_terminate.__file__).parent
#: Seconds for one command, on a busy machine.
_DEADLINE = 60.0
#: Processes that a session stops or diagnoses: each prints a line when it is ready.
_WORKER = "import time; print(flush=True); time.sleep(600)"
_IGNORES = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {_WORKER}"
_PARENT = f"import os; os.fork(); {_IGNORES}"

#: For each session: the processes that run meanwhile, and the arguments, with
#: {0} for the pid of the first.
SESSIONS: dict[str, tuple[list[str], list[str]]] = {
    "stop": ([_WORKER, _IGNORES], ["stop", "--grace", "0.5", "{0}", "{1}"]),
    "stop_tree": ([_PARENT], ["stop", "--tree", "--grace", "0.5", "{0}"]),
    "stop_json": ([_WORKER], ["stop", "--json", "{0}"]),
    "diagnose": ([_IGNORES], ["diagnose", "{0}"]),
    "diagnose_json": ([_IGNORES], ["diagnose", "--json", "{0}"]),
    "timeout": ([], ["run", "--timeout", "1", "--", "sh", "-c", "sleep 60 & sleep 60"]),
    "exit_code": ([], ["exit-code", "exit code 137"]),
    "exit_code_json": ([], ["exit-code", "--json", "0xC0000005"]),
    "no_process": ([], ["stop", "4194305"]),
    "no_name": ([], ["stop", "--name", "no-such-program"]),
    "own_shell": ([], ["stop", "$$"]),
    "process_1": ([], ["stop", "1"]),
    "wrong_pid": ([], ["stop", "python"]),
    "wrong_signal": ([], ["stop", "--signal", "FOO", "4711"]),
    "wrong_grace": ([], ["stop", "--grace", "-1", "4711"]),
    "no_code": ([], ["exit-code", "nonsense"]),
    "not_found": ([], ["run", "--", "no-such-program"]),
    "not_executable": ([], ["run", "--", "/etc/passwd"]),
}
#: The sessions that end in an error, as the page lists them.
ERRORS = list(SESSIONS)[list(SESSIONS).index("no_process") :]


class Session(Struct):
    """One command as it was typed, and what came of it."""

    command: str
    output: list[str]
    """The lines of stdout, then those of stderr."""
    status: int


class Sessions(Study, kw_only=True):
    """What the command prints."""

    hash: str
    """Of the command and the table of exit codes."""
    sessions: dict[str, Session]


def source_hash() -> str:
    """Return a hash of the command."""
    folders = (_LIBRARY / "_command", _LIBRARY / "_exit_codes")
    paths = [path for folder in folders for path in sorted(folder.glob("*.py"))]
    return study.hash_of([*paths, Path(__file__)])


def outdated(data: Sessions) -> list[str]:
    """Return the command if the results are of another version."""
    return [] if data.hash == source_hash() else ["process-terminate"]


def load() -> Sessions:
    """Return what was recorded."""
    return store.read(PATH, Sessions)


def record(report: Report) -> None:
    """Run each session once, and write down what it printed."""
    data = Sessions(**study.circumstances(), hash=source_hash(), sessions={})
    for name, (programs, arguments) in SESSIONS.items():
        data.sessions[name] = run(programs, arguments)
        report(f"{name}: {data.sessions[name].status}")
    store.write(PATH, data, depth=4)


def run(programs: list[str], arguments: list[str]) -> Session:
    """Start the processes, run the command, and end what is left."""
    with _started(programs) as pids:
        named = [argument.format(*pids) for argument in arguments]
        typed = " ".join(f"'{word}'" if " " in word else word for word in named)
        done = subprocess.run(
            # A namespace, because process 1 of a machine tells of that machine.
            [*(MODES["process 1"] if "1" in named else ()), "sh"],
            input=f'"$PYTHON" -m process_terminate {typed}; exit $?',
            check=False,
            capture_output=True,
            text=True,
            timeout=_DEADLINE,
            env={**os.environ, "PYTHON": sys.executable},
        )
    lines = [*done.stdout.splitlines(), *done.stderr.splitlines()]
    return Session(f"process-terminate {typed}", lines, done.returncode)


@contextmanager
def _started(programs: list[str]) -> Iterator[list[int]]:
    """Start Python programs, and wait until each is ready; kill them after the block."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        started = []
        for program in programs:
            Path(folder, "worker.py").write_text(program)
            process = subprocess.Popen(
                ["python", "worker.py"],
                executable=sys.executable,
                cwd=folder,
                stdout=subprocess.PIPE,
            )
            stack.callback(_end, process)
            started.append(process.pid)
            if process.stdout:
                process.stdout.readline()
        yield started


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Kill a program and its descendants."""
    stop_tree(process, grace=0)
    if process.stdout:
        process.stdout.close()
