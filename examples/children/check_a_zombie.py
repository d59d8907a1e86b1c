"""A zombie keeps its pid until its parent reaps it."""

# /// script
# dependencies = ["psutil"]
# ///
import os
import time
from multiprocessing import get_context

import psutil

# The forkserver would reap it at once.
spawn = get_context("spawn")


def answers(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    worker = spawn.Process(target=time.sleep, args=(60,))
    worker.start()
    worker.kill()
    process = psutil.Process(worker.pid)
    while process.status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    print("a zombie: os.kill(pid, 0) works", answers(worker.pid))
    #> a zombie: os.kill(pid, 0) works True
    print("psutil: is_running()", process.is_running())
    #> psutil: is_running() True
    worker.join()
    print("reaped: os.kill(pid, 0) works", answers(worker.pid))
    #> reaped: os.kill(pid, 0) works False
    print("psutil: is_running()", process.is_running())
    #> psutil: is_running() False
