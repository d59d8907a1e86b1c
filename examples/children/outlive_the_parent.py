"""Start a process that outlives you, with streams of its own."""

import os
import signal
import subprocess
import sys
from multiprocessing.connection import wait

LAUNCHER = """
import sys
from subprocess import DEVNULL, Popen

server = Popen(["sleep", "60"], {options})
sys.stdout.write(f"{{server.pid}}\\n")
"""
DETACHED = "stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL, "
DETACHED += "start_new_session=True"


def launch(options):
    launcher = subprocess.Popen(
        [sys.executable, "-c", LAUNCHER.format(options=options)],
        stdout=subprocess.PIPE,
    )
    server = int(launcher.stdout.readline())
    launcher.wait()
    ended = bool(wait([launcher.stdout], timeout=0.5))
    session = os.getsid(server) == server
    print(f"own session {session}, the launcher's output ended {ended}")
    #> own session False, the launcher's output ended False
    #> own session True, the launcher's output ended True
    launcher.stdout.close()
    os.kill(server, signal.SIGKILL)


if __name__ == "__main__":
    launch("")
    launch(DETACHED)
