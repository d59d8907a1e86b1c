"""Terminate a process in four ways, which leave three exit codes."""

# /// script
# dependencies = ["psutil"]
# [tool.evidence]
# platforms = ["win32"]
# ///

import os
import signal
import subprocess
import sys
import time
from multiprocessing import Process

import psutil

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
WAYS = {
    "Popen.terminate()": lambda child: child.terminate(),
    "psutil": lambda child: psutil.Process(child.pid).terminate(),
    "os.kill()": lambda child: os.kill(child.pid, signal.SIGTERM),
}


if __name__ == "__main__":
    for name, terminate in WAYS.items():
        child = subprocess.Popen(SLEEP)
        terminate(child)
        print(f"{name}: {child.wait()}")
        #> Popen.terminate(): 1
        #> psutil: 15
        #> os.kill(): 15
    worker = Process(target=time.sleep, args=(60,))
    worker.start()
    worker.terminate()
    worker.join()
    print("Process.terminate():", worker.exitcode)
    #> Process.terminate(): -15
