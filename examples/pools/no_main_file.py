"""Start workers where __main__ has no file, as in a notebook."""

import re
import sys
from subprocess import PIPE, run

PROGRAM = """
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
spawn = get_context("spawn")
def work(number): return number
"""
POOL = "spawn.Pool(1).apply_async(work, [1]).get(timeout=1)"
EXECUTOR = "ProcessPoolExecutor(1, spawn).submit(work, 1).result()"
ERRORS = "AttributeError|TimeoutError|BrokenProcessPool(?=:)"


def errors_of(code):
    command = [sys.executable, "-c", PROGRAM + code]
    program = run(command, stderr=PIPE, text=True, timeout=30)
    return re.findall(ERRORS, program.stderr)


if __name__ == "__main__":
    print("a Pool hangs:", "TimeoutError" in errors_of(POOL))
    #> a Pool hangs: True
    for error in errors_of(EXECUTOR):
        print("an executor:", error)
        #> an executor: AttributeError
        #> an executor: BrokenProcessPool
    imported = EXECUTOR.replace("work", "abs")
    print("an imported function:", errors_of(imported))
    #> an imported function: []
