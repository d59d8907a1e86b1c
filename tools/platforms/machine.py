"""Run Python in an emulated machine, as if it were here: machine.py FOLDER LAYER ARGUMENTS.

The machine starts with the first program and ends a minute after the last one. It has
no disk and no network; a serial line carries one program at a time, and its output.
"""

import fcntl
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
INIT = Path(__file__).with_name("machine_init.sh")
AGENT = Path(__file__).with_name("machine_agent.py")
#: Seconds in which the machine must start: mostly the kernel unpacking the files.
STARTS = 180
#: What pytest needs; psutil is that of the machine's Python.
PACKAGES = ("pytest", "_pytest", "iniconfig", "packaging", "pluggy", "pygments")


def main() -> None:
    """Run one program in the machine; exit as it did, with its output."""
    folder, layer, *arguments = sys.argv[1:]
    machine = Path(folder)
    with (machine / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        request = {"arguments": arguments, "cwd": str(ROOT), "layer": layer}
        request["path"] = os.environ.get("PYTHONPATH", "")
        answer = ask(machine, request)
    sys.stdout.buffer.write(answer["output"].encode("latin-1"))
    sys.stdout.flush()
    sys.stderr.buffer.write(answer["errors"].encode("latin-1"))
    sys.stderr.flush()
    status = answer["status"]
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    sys.exit(status)


def ask(machine: Path, request: dict[str, Any]) -> dict[str, Any]:
    """Send a program to the machine, which starts if it does not run."""
    busy = machine / "busy"
    if busy.exists():  # The caller of the last program was killed, so it may still run.
        kill(machine)
    busy.touch()
    line = socket.socket(socket.AF_UNIX)
    try:
        line.connect(str(machine / "line"))
    except OSError:
        line.close()
        line = start(machine)
    with line, line.makefile("rwb") as file:
        file.write(json.dumps(request).encode() + b"\n")
        file.flush()
        answer: dict[str, Any] = json.loads(file.readline())
    busy.unlink()
    return answer


def kill(machine: Path) -> None:
    """Kill the QEMU of the machine, and wait until it is dead.

    Its pid may belong to another process by now, so the pidfd is opened first, and the
    process behind it must have the socket of this machine in its command line.
    """
    with suppress(OSError, ValueError):
        pid = int((machine / "pid").read_text("ascii"))
        pidfd = os.pidfd_open(pid)
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
            if os.fsencode(f"unix:{machine / 'line'},") in command:
                signal.pidfd_send_signal(pidfd, signal.SIGKILL)
                select.select([pidfd], [], [], 10)
        finally:
            os.close(pidfd)


def start(machine: Path) -> socket.socket:
    """Start the machine with the tests and examples of now; wait until it is ready."""
    path = machine / "line"
    path.unlink(missing_ok=True)
    pack(machine)
    command = [
        *("qemu-system-x86_64", "-accel", "tcg", "-m", "1536", "-smp", "2"),
        *("-kernel", str(machine / "vmlinuz"), "-initrd", str(machine / "initrd")),
        *("-append", "console=ttyS0 quiet panic=-1", "-no-reboot", "-nodefaults"),
        *("-display", "none", "-serial", f"file:{machine / 'console'}"),
        *("-serial", f"unix:{path},server=on,wait=off"),
    ]
    with (machine / "qemu.log").open("wb") as log:
        qemu = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    (machine / "pid").write_text(str(qemu.pid), "ascii")
    end = time.monotonic() + STARTS
    while not path.exists():
        if qemu.poll() is not None or time.monotonic() > end:
            sys.exit(f"machine: QEMU did not start, see {machine / 'qemu.log'}")
        time.sleep(0.05)
    line = socket.socket(socket.AF_UNIX)
    line.settimeout(STARTS)
    line.connect(str(path))
    said = b""
    while not said.endswith(b"ready\n"):
        said += line.recv(1) or sys.exit("machine: it ended while it started")
    line.settimeout(None)
    return line


def pack(machine: Path) -> None:
    """Write the files of the machine: its system, and this project at its path."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        here = root / ROOT.relative_to("/")
        for part in (
            "src/process_terminate",
            "tests/library",
            "tests/trees",
            "examples",
        ):
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / part, here / part, ignore=ignored)
        site = next((ROOT / ".venv/lib").glob("python3.*")) / "site-packages"
        for package in *PACKAGES, next(site.glob("pluggy-*.dist-info")).name:
            shutil.copytree(site / package, root / "packages" / package)
        shutil.copy(site / "py.py", root / "packages")
        (root / "packages/process_terminate").symlink_to(ROOT / "src/process_terminate")
        for folder in ("proc", "sys", "dev", "tmp", "root"):
            (root / folder).mkdir(exist_ok=True)
        shutil.copy(INIT, root / "init")
        (root / "init").chmod(0o755)
        shutil.copy(AGENT, root / "agent.py")
        shutil.copy(machine / "unix_diag.ko", root)
        names = "\n".join(
            str(path.relative_to(root)) for path in sorted(root.rglob("*"))
        )
        packed = subprocess.run(
            ["cpio", "--quiet", "--create", "--format", "newc"],
            check=True,
            cwd=root,
            input=names.encode(),
            stdout=subprocess.PIPE,
            timeout=STARTS,
        ).stdout
    with (machine / "initrd").open("wb") as initrd:
        initrd.write((machine / "system.cpio").read_bytes() + packed)


if __name__ == "__main__":
    main()
