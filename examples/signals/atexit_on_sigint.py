"""Run atexit functions after SIGINT, but not after SIGTERM."""

import signal
import sys
from subprocess import DEVNULL, PIPE, Popen

PROGRAM = """
import atexit, signal, time
signal.signal(signal.SIGINT, signal.default_int_handler)
atexit.register(print, "atexit ran")
print("ready", flush=True)
while True:
    time.sleep(0.1)
"""

if __name__ == "__main__":
    command = [sys.executable, "-c", PROGRAM]
    for number in (signal.SIGINT, signal.SIGTERM):
        program = Popen(command, stdout=PIPE, stderr=DEVNULL, text=True)
        program.stdout.readline()
        program.send_signal(number)
        output, _ = program.communicate()
        print(f"{number.name}: {output!r}, {program.returncode}")
        #> SIGINT: 'atexit ran\n', -2
        #> SIGTERM: '', -15
