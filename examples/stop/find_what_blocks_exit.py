"""Find the thread that keeps a finished program running."""

import signal
import sys
from subprocess import PIPE, Popen

PROGRAM = """
import faulthandler, signal, sys, threading

def read_forever():
    sys.stdin.read()

faulthandler.register(signal.SIGUSR1)
threading.Thread(target=read_forever).start()
print("the last line of the program", flush=True)
"""


def waiting_functions(process):
    process.send_signal(signal.SIGUSR1)
    for line in process.stderr:
        name = line.split(" in ")[-1].strip()
        yield name
        if name in ("_shutdown", "<module>"):
            break  # The main thread comes last.


if __name__ == "__main__":
    command = [sys.executable, "-c", PROGRAM]
    with Popen(
        command, stdin=PIPE, stdout=PIPE, stderr=PIPE, text=True
    ) as process:
        print(process.stdout.readline().strip())
        #> the last line of the program
        waits = "read_forever" in list(waiting_functions(process))
        print("a thread waits in read_forever()", waits)
        #> a thread waits in read_forever() True
        process.stdin.close()  # Now the read() of the thread returns.
        print("exit code", process.wait())
        #> exit code 0
