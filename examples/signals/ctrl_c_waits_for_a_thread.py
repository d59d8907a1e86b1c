"""Press Ctrl-C in a program whose thread runs: it does not stop."""

import signal
import sys
from subprocess import DEVNULL, PIPE, Popen, TimeoutExpired

PROGRAM = """
import signal, sys, threading, time
signal.signal(signal.SIGINT, signal.default_int_handler)
threading.Thread(target=sys.stdin.read, daemon=DAEMON).start()
try:
    print("ready", flush=True)
    while True:
        time.sleep(0.1)
finally:
    print("finally ran", flush=True)
"""


def after_ctrl_c(daemon, timeout):
    code = PROGRAM.replace("DAEMON", str(daemon))
    command = [sys.executable, "-c", code]
    pipes = {"stdin": PIPE, "stdout": PIPE, "stderr": DEVNULL}
    with Popen(command, **pipes) as program:
        program.stdout.readline()
        program.send_signal(signal.SIGINT)
        finally_ran = program.stdout.readline().decode().strip()
        try:
            return f"{finally_ran}, exit code {program.wait(timeout)}"
        except TimeoutExpired:
            program.kill()
            return f"{finally_ran}, still running"


if __name__ == "__main__":
    print("a thread:", after_ctrl_c(daemon=False, timeout=1))
    #> a thread: finally ran, still running
    print("a daemon thread:", after_ctrl_c(daemon=True, timeout=30))
    #> a daemon thread: finally ran, exit code -2
