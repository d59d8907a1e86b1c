"""Close the window of a program whose thread keeps it running."""

import sys
from subprocess import PIPE, Popen, TimeoutExpired

# The main loop of a window returns when the window is closed.
PROGRAM = """
import sys, threading

stop = threading.Event()

def mainloop():
    sys.stdin.readline()

threading.Thread(target=stop.wait).start()
mainloop()
CLEANUP
print("the window is closed", flush=True)
"""


def close_window(cleanup, timeout):
    code = PROGRAM.replace("CLEANUP", cleanup)
    command = [sys.executable, "-c", code]
    with Popen(command, stdin=PIPE, stdout=PIPE) as program:
        program.stdin.write(b"close\n")
        program.stdin.flush()
        program.stdout.readline()
        try:
            return f"exit code {program.wait(timeout)}"
        except TimeoutExpired:
            program.kill()
            return "Python is still running"


if __name__ == "__main__":
    print("without cleanup:", close_window("pass", timeout=1))
    #> without cleanup: Python is still running
    print("stop.set():", close_window("stop.set()", timeout=30))
    #> stop.set(): exit code 0
