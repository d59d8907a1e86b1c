"""Press Ctrl-C in asyncio while run_in_executor() runs a function."""

import signal
import sys
from subprocess import DEVNULL, PIPE, Popen, TimeoutExpired

CODE = """
import asyncio, signal, threading, time
signal.signal(signal.SIGINT, signal.default_int_handler)
stop = threading.Event()
def work():
    time.sleep(0.5)  # Until the event loop waits.
    print("ready", flush=True)
    stop.wait()
async def main():
    try:
        await asyncio.get_running_loop().run_in_executor(None, work)
    finally:
        CLEANUP
asyncio.run(main())
"""


def one_is_enough(cleanup, timeout):
    command = [sys.executable, "-c", CODE.replace("CLEANUP", cleanup)]
    with Popen(command, stdout=PIPE, stderr=DEVNULL) as program:
        program.stdout.readline()
        program.send_signal(signal.SIGINT)
        try:
            return program.wait(timeout) == -signal.SIGINT
        except TimeoutExpired:
            program.kill()
            return False


if __name__ == "__main__":
    print("one Ctrl-C is enough:", one_is_enough("pass", timeout=1))
    #> one Ctrl-C is enough: False
    print("with stop.set():", one_is_enough("stop.set()", timeout=30))
    #> with stop.set(): True
