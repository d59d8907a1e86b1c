"""Exit while daemon threads print: some runs end with an abort."""

import sys
from subprocess import DEVNULL, PIPE, run

PROGRAM = """
import threading, time

stop = threading.Event()

def work():
    while not stop.is_set():
        print("x" * 50)

threads = [threading.Thread(target=work, daemon=True) for _ in "12"]
for thread in threads:
    thread.start()
time.sleep(0.02)
"""
JOIN = "stop.set()\nfor thread in threads: thread.join()"


def execute(program):
    # -E: unbuffered output, as by PYTHONUNBUFFERED, has no lock.
    command = [sys.executable, "-E", "-c", program]
    return run(command, stdout=DEVNULL, stderr=PIPE, text=True)


if __name__ == "__main__":
    runs = (execute(PROGRAM) for _ in range(50))
    aborted = next(done for done in runs if done.returncode)
    print("exit code", aborted.returncode)
    #> exit code -6
    print(aborted.stderr.split(" for ")[0])
    #> Fatal Python error: _enter_buffered_busy: could not acquire lock
    codes = {execute(PROGRAM + JOIN).returncode for _ in range(10)}
    print("joined before the end: exit codes", *codes)
    #> joined before the end: exit codes 0
