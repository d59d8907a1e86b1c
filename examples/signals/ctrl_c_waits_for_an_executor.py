"""Press Ctrl-C in asyncio while run_in_executor() runs a function."""

import signal
import sys
from contextlib import suppress
from subprocess import DEVNULL, PIPE, Popen, TimeoutExpired

PROGRAM = """
import asyncio, signal, threading
signal.signal(signal.SIGINT, signal.default_int_handler)
stop = threading.Event()

def work():
    print("ready", flush=True)
    stop.wait()

async def main():
    try:
        await asyncio.get_running_loop().run_in_executor(None, work)
    finally:
        CLEANUP
asyncio.run(main())
"""


def presses(cleanup):
    command = [sys.executable, "-c", PROGRAM.replace("CLEANUP", cleanup)]
    with Popen(command, stdout=PIPE, stderr=DEVNULL) as program:
        program.stdout.readline()
        for count in range(1, 10):
            program.send_signal(signal.SIGINT)
            with suppress(TimeoutExpired):
                return program.wait(timeout=1) and count


if __name__ == "__main__":
    for cleanup in ("pass", "stop.set()"):
        print(f"finally {cleanup}: Ctrl-C x {presses(cleanup)}")
        #> finally pass: Ctrl-C x 3
        #> finally stop.set(): Ctrl-C x 1
