"""Wait for a command whose output you do not read: it hangs."""

import sys
from subprocess import DEVNULL, PIPE, Popen, TimeoutExpired

COMMAND = [sys.executable, "-c", "print('x' * 100_000)"]

if __name__ == "__main__":
    with Popen(COMMAND, stdout=PIPE) as process:
        try:
            process.wait(timeout=1)
        except TimeoutExpired:
            print("wait(): still running after 1 s")
            #> wait(): still running after 1 s
        output, _ = process.communicate()
        print("communicate():", len(output), "bytes")
        #> communicate(): 100001 bytes
        print("exit code", process.returncode)
        #> exit code 0
    with Popen(COMMAND, stdout=DEVNULL) as process:
        print("no pipe: exit code", process.wait())
        #> no pipe: exit code 0
