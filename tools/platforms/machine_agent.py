"""In the emulated machine: run the programs that come over the serial line."""

import fcntl
import json
import os
import select
import signal
import socket
import struct
import subprocess
import tempfile
import time
import tty
from contextlib import suppress
from pathlib import Path
from typing import Any

#: Seconds without a program, after which the machine ends.
IDLE = 60
#: Seconds for one program, and for what it leaves to exit.
LIMIT, GRACE = 1500, 5
#: From linux/sockios.h and linux/if.h: set the flags of an interface; it is up.
SIOCSIFFLAGS, IFF_UP = 0x8914, 1


def processes() -> set[int]:
    """Return the pids of programs: kernel threads have no memory."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (folder / "statm").read_bytes().split()[0] != b"0":
                found.add(int(folder.name))
    return found


def run(request: dict[str, Any]) -> dict[str, Any]:
    """Run a program; return its output, its status, and name what it left."""
    before = processes()
    path = f"{request['path']}:{os.environ['PYTHONPATH']}"
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        try:
            status = subprocess.run(
                ["python3.14", *request["arguments"]],
                check=False,
                cwd=request["cwd"],
                env={
                    **os.environ,
                    "EVIDENCE_LAYER": request["layer"],
                    "PYTHONPATH": path,
                },
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                timeout=LIMIT,
            ).returncode
        except subprocess.TimeoutExpired:
            status = 124
        end = time.monotonic() + GRACE
        while (left := processes() - before) and time.monotonic() < end:
            time.sleep(0.1)
        for pid in left:
            errors.write(b"left running: pid %d\n" % pid)
            os.kill(pid, signal.SIGKILL)
        output.seek(0)
        errors.seek(0)
        return {
            "status": status,
            "output": output.read().decode("latin-1"),
            "errors": errors.read().decode("latin-1"),
        }


def enable_loopback() -> None:
    """Let programs connect to 127.0.0.1; without this they wait forever."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))


def main() -> None:
    """Answer until no program comes for a minute."""
    enable_loopback()
    line = os.open("/dev/ttyS1", os.O_RDWR | os.O_NOCTTY)
    tty.setraw(line)
    with os.fdopen(line, "r+b", buffering=0) as file:
        file.write(b"ready\n")
        request = b""
        while select.select([file], [], [], IDLE)[0]:
            request += os.read(line, 4096)
            if request.endswith(b"\n"):
                answer = json.dumps(run(json.loads(request))).encode() + b"\n"
                while answer:
                    answer = answer[file.write(answer) :]
                request = b""


if __name__ == "__main__":
    main()
