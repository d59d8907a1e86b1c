"""Call os.kill(), which terminates with any number as the exit code."""

# /// script
# [tool.evidence]
# platforms = ["win32"]
# ///

import os
import signal
import subprocess
import sys

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
NO_PID = 0x7FFFFFFC


if __name__ == "__main__":
    for number in signal.SIGINT, 9, signal.SIGTERM, 77:
        child = subprocess.Popen(SLEEP)
        os.kill(child.pid, number)
        print(f"os.kill(pid, {int(number)}): {child.wait()}")
        #> os.kill(pid, 2): 2
        #> os.kill(pid, 9): 9
        #> os.kill(pid, 15): 15
        #> os.kill(pid, 77): 77
    try:
        os.kill(NO_PID, signal.SIGTERM)
    except OSError as error:
        print(f"no such pid: {type(error).__name__}, {error.winerror}")
        #> no such pid: OSError, 87
