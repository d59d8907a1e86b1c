"""Stop a process with stop(), by each object that stands for it."""

# /// script
# requires-python = ">=3.11"
# dependencies = ["process-terminate", "psutil"]
# [tool.evidence]
# platforms = ["win32"]
# ///

import subprocess
import sys
import time
from multiprocessing import Process

import psutil

from process_terminate import stop

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


if __name__ == "__main__":
    worker = Process(target=time.sleep, args=(60,))
    worker.start()
    print("Process:", stop(worker))
    #> Process: exited with 15; on Windows also os.kill(pid, SIGTERM)
    command = subprocess.Popen(SLEEP)
    print("Popen:", stop(command))
    #> Popen: exited with 15; on Windows also os.kill(pid, SIGTERM)
    command = subprocess.Popen(SLEEP)
    print("psutil:", stop(psutil.Process(command.pid)))
    #> psutil: exited with 15; on Windows also os.kill(pid, SIGTERM)
    print("its Popen:", command.wait())
    #> its Popen: 15
    try:
        stop(command, signal=2)
    except ValueError as error:
        print("ValueError:", error)
        #> ValueError: signal must be SIGTERM on Windows, got SIGINT
