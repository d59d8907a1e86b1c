# ruff: noqa: T201 - it prints what diagnose() says.
"""Make real programs hang, and print what diagnose() says of them.

`python tests/outside/hangs.py NAME FOLDER` runs one recipe in a folder with the files
of `tests/outside/hanging`.
"""

import os
import pty
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import psutil

from process_terminate import Diagnosis, diagnose, stop_tree

#: Seconds in which a program must hang, on a busy machine too.
PATIENCE = 60
#: The user of a database server, which refuses to run as root.
POSTGRES = "postgres"


def until_found(pid: int, *names: str) -> Diagnosis:
    """Return the diagnosis of a process as soon as it has some findings."""
    end = time.monotonic() + PATIENCE
    while True:
        found = diagnose(pid)
        if all(found.get(name) for name in names):
            return found
        if time.monotonic() > end:
            raise TimeoutError(f"{names} not found after {PATIENCE} s:\n{found}")
        time.sleep(0.1)


def child_of(pid: int) -> int:
    """Return the pid of the first child of a process, as soon as there is one."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if children := psutil.Process(pid).children():
            return children[0].pid
        time.sleep(0.05)
    raise TimeoutError(f"pid {pid} has no child")


def executor(folder: Path) -> None:
    """Kill a worker of an executor whose other worker ignores SIGTERM."""
    program = subprocess.Popen([sys.executable, folder / "hang_executor.py"])
    try:
        while len(psutil.Process(program.pid).children()) != 1:
            until_found(program.pid, "leaves-children")
        print(until_found(program.pid, "waits-for-a-thread"))
        print(until_found(child_of(program.pid), "sigterm-ignored"))
    finally:
        stop_tree(program, grace=0)


def pytest(folder: Path) -> None:
    """Run a test that leaves a thread which reads a pipe."""
    command = [sys.executable, "-m", "pytest", "-q", "test_hang.py"]
    program = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
    try:
        print(until_found(program.pid, "waits-for-a-thread", "deadlock"))
    finally:
        stop_tree(program, grace=0)


def gunicorn(folder: Path) -> None:
    """Ask an application whose backend never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    address = f"127.0.0.1:{port}"
    command = [sys.executable, "-m", "gunicorn", "-b", address, "hang_app:app"]
    program = subprocess.Popen(
        [*command, "--log-level", "critical", "--timeout", "0"], cwd=folder
    )
    try:
        worker = child_of(program.pid)
        until_found(worker, "restarted", "sigterm-handled")
        _request(port)
        print(until_found(worker, "waits-for-a-socket", "restarted"))
    finally:
        stop_tree(program, grace=0)


def _request(port: int) -> None:
    """Send a request, and do not wait for its answer."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            link = socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            link.sendall(b"GET / HTTP/1.0\r\n\r\n")
            link.detach()
            return


def popen(folder: Path) -> None:
    """Wait for a command whose output is not read."""
    program = subprocess.Popen([sys.executable, folder / "hang_popen.py"])
    try:
        print(until_found(program.pid, "waits-for-a-child", "deadlock"))
    finally:
        stop_tree(program, grace=0)


def postgresql(folder: Path) -> None:
    """Let a client of PostgreSQL wait for a lock that another client holds."""
    folder.chmod(0o777)
    data, sockets = folder / "data", f"-k {folder} -h ''"
    _as_postgres("initdb", "-A", "trust", "-D", data)
    _as_postgres(
        "pg_ctl", "-w", "-D", data, "-o", sockets, "-l", folder / "log", "start"
    )
    psql: list[str | Path] = ["psql", "-q", "-h", folder, "-U", POSTGRES]
    subprocess.run([*psql, "-c", "create table stock (name text)"], check=True)
    lock = "begin; lock stock; select pg_sleep(600)"
    holder = subprocess.Popen([*psql, "-c", lock])
    try:
        until_found(holder.pid, "waits-for-a-socket")
        _until_locked(psql)
        waiter = subprocess.Popen([*psql, "-c", "begin; lock stock"])
        found = until_found(waiter.pid, "waits-for-a-socket")
        while "waiting" not in str(found):
            found = until_found(waiter.pid, "waits-for-a-socket")
        print(found)
        stop_tree(waiter, grace=0)
    finally:
        stop_tree(holder, grace=0)
        _as_postgres("pg_ctl", "-D", data, "-m", "immediate", "stop")


def _until_locked(psql: list[str | Path]) -> None:
    query = "select count(*) from pg_locks where mode = 'AccessExclusiveLock'"
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        command = [*psql, "-At", "-c", query]
        said = subprocess.run(
            command, check=True, stdout=subprocess.PIPE, timeout=PATIENCE
        )
        if said.stdout.strip() != b"0":
            return
        time.sleep(0.1)
    raise TimeoutError("the first client has not locked the table")


def _as_postgres(program: str, *args: str | Path) -> None:
    """Run a program of PostgreSQL as its user; it refuses to run as root."""
    (path,) = Path("/usr/lib/postgresql").glob(f"*/bin/{program}")
    command = ["setpriv", "--reuid", POSTGRES, "--regid", POSTGRES, "--clear-groups"]
    subprocess.run([*command, path, *args], check=True, stdout=subprocess.DEVNULL)


def sigttin(folder: Path) -> None:  # noqa: ARG001
    """Let a background job of a shell read from the terminal."""
    shell, terminal = pty.fork()
    if shell == 0:
        command = "set -m; stty -echo; cat & echo job $!; sleep 600"
        os.execlp("bash", "bash", "-c", command)
    with os.fdopen(terminal) as output:
        job = int(output.readline().split()[-1])
        print(until_found(job, "stopped-by-terminal"))
        stop_tree(psutil.Process(shell), grace=0)


def jupyter(folder: Path) -> None:  # noqa: ARG001
    """Let a kernel of Jupyter compute without end."""
    manager_of = import_module("jupyter_client.manager")

    manager, client = manager_of.start_new_kernel(kernel_name="python3")
    try:
        client.execute("while True: pass")
        pid = manager.provisioner.pid
        print(until_found(pid, "computing"))
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


RECIPES: dict[str, Callable[[Path], None]] = {
    recipe.__name__: recipe
    for recipe in (executor, pytest, gunicorn, popen, postgresql, sigttin, jupyter)
}

if __name__ == "__main__":
    name, folder = sys.argv[1:]
    RECIPES[name](Path(folder))
