"""Crash in C code, and let faulthandler name the function."""

import ctypes
import faulthandler
import tempfile
from multiprocessing import get_context
from pathlib import Path

# A worker without a faulthandler.
spawn = get_context("spawn")


def crash():
    ctypes.memset(0, 1, 1)  # Writes to address 0.


def crash_with_traceback(path):
    with open(path, "w") as log:
        faulthandler.enable(log)
        crash()


def exit_code_of(target, *args):
    worker = spawn.Process(target=target, args=args)
    worker.start()
    worker.join()
    return worker.exitcode


if __name__ == "__main__":
    print("exit code", exit_code_of(crash))
    #> exit code -11
    with tempfile.NamedTemporaryFile() as log:
        exit_code_of(crash_with_traceback, log.name)
        for line in Path(log.name).read_text().splitlines():
            if line.startswith("Fatal") or " in crash" in line:
                print(line.split(" in ")[-1])
                #> Fatal Python error: Segmentation fault
                #> crash
                #> crash_with_traceback
