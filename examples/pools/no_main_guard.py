"""Leave out the main guard: each worker fails while it starts."""

# /// script
# dependencies = ["process-terminate"]
# ///
import sys
import tempfile
from subprocess import PIPE, Popen

from process_terminate import stop_tree

PROGRAM = """
from concurrent import futures
from multiprocessing import get_context
spawn = get_context("spawn")
"""
POOL = "spawn.Pool(1).map(abs, [-1])"
EXECUTOR = "futures.ProcessPoolExecutor(1, spawn).submit(abs, -1).result()"


def run(code):
    failed, line = 0, "no error"
    with tempfile.NamedTemporaryFile(suffix=".py", buffering=0) as file:
        file.write((PROGRAM + code).encode())
        command = [sys.executable, file.name]
        with Popen(command, stderr=PIPE, text=True) as program:
            for line in program.stderr:
                failed += "An attempt has been made" in line
                if failed == 3:
                    stop_tree(program, grace=1)
    return failed, line.split(":")[0].split(".")[-1]


if __name__ == "__main__":
    print("a Pool: failed workers", run(POOL)[0], "and more")
    #> a Pool: failed workers 3 and more
    print("an executor:", *run(EXECUTOR))
    #> an executor: 1 BrokenProcessPool
    print("guarded:", *run("if __name__ == '__main__': " + POOL))
    #> guarded: 0 no error
