"""Leave out the main guard: each worker fails while it starts."""

# /// script
# dependencies = ["process-terminate"]
# ///
import sys
import tempfile
from subprocess import PIPE, Popen

from process_terminate import stop_tree

PROGRAM = """from multiprocessing import get_context
from concurrent.futures import ProcessPoolExecutor as Executor
spawn = get_context("spawn")
"""
POOL = "spawn.Pool(1).map(abs, [-1])"
EXECUTOR = "Executor(1, spawn).submit(abs, -1).result()"


def run(code):
    failed, broken = 0, False
    with tempfile.NamedTemporaryFile(suffix=".py", buffering=0) as file:
        file.write((PROGRAM + code).encode())
        with Popen([sys.executable, file.name], stderr=PIPE) as program:
            for line in program.stderr:
                failed += b"An attempt has been made" in line
                broken |= b"BrokenProcessPool:" in line
                if failed == 3:
                    stop_tree(program, grace=1)
                    break
    return f"{failed} failed, broken {broken}"


if __name__ == "__main__":
    print("workers of a Pool:", run(POOL), "(and so on)")
    #> workers of a Pool: 3 failed, broken False (and so on)
    print("workers of an executor:", run(EXECUTOR))
    #> workers of an executor: 1 failed, broken True
    print("guarded:", run("if __name__ == '__main__': " + POOL))
    #> guarded: 0 failed, broken False
