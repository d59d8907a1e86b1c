"""Look for the names with which programs for Unix stop processes."""

# /// script
# [tool.evidence]
# platforms = ["win32"]
# ///

import multiprocessing
import os
import signal

SIGNALS = "SIGABRT SIGBREAK SIGHUP SIGINT SIGKILL SIGTERM SIGUSR1"
CALLS = "abort fork getpgid getppid kill killpg setsid waitid waitpid"


if __name__ == "__main__":
    for module, names in ((signal, SIGNALS), (os, CALLS)):
        here = [n for n in names.split() if hasattr(module, n)]
        print(f"{module.__name__} has:", *here)
        #> signal has: SIGABRT SIGBREAK SIGINT SIGTERM
        #> os has: abort getppid kill waitpid
        gone = [n for n in names.split() if not hasattr(module, n)]
        print(f"{module.__name__} lacks:", *gone)
        #> signal lacks: SIGHUP SIGKILL SIGUSR1
        #> os lacks: fork getpgid killpg setsid waitid
    print("start methods:", *multiprocessing.get_all_start_methods())
    #> start methods: spawn
    try:
        os.kill(os.getpid(), signal.SIGKILL)
    except AttributeError as error:
        print("AttributeError:", error)
        #> AttributeError: module 'signal' has no attribute 'SIGKILL'
