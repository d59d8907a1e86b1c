"""Reap a worker elsewhere: is_alive() stays True forever."""

# /// script
# dependencies = ["process-terminate"]
# ///
import os
import sys
import time
from multiprocessing import get_context

from process_terminate import stop

# Under forkserver only the forkserver could reap the worker.
spawn = get_context("spawn")

if __name__ == "__main__":
    worker = spawn.Process(target=sys.exit, args=(3,))
    worker.start()
    # A library may reap "all children".
    os.waitpid(worker.pid, 0)
    worker.join()
    print("alive", worker.is_alive(), "exit code", worker.exitcode)
    #> alive True exit code None
    began = time.monotonic()
    status = stop(worker, grace=30)
    print("took the grace", time.monotonic() - began >= 30)
    #> took the grace False
    print(status)
    #> ended; its exit code is not available here
