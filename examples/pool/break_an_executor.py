"""Kill one worker of a ProcessPoolExecutor: every task fails."""

import os
import signal
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool


def die():
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    executor = ProcessPoolExecutor(max_workers=2)
    running = executor.submit(time.sleep, 60)
    while not running.running():
        time.sleep(0.01)
    print("cancel() of the running task:", running.cancel())
    #> cancel() of the running task: False
    dead = executor.submit(die)
    queued = executor.submit(pow, 2, 3)

    print("dead:", type(dead.exception()).__name__)
    #> dead: BrokenProcessPool
    print("running:", type(running.exception()).__name__)
    #> running: BrokenProcessPool
    print("queued:", type(queued.exception()).__name__)
    #> queued: BrokenProcessPool
    try:
        executor.submit(pow, 2, 3)
    except BrokenProcessPool:
        print("submit() of another: BrokenProcessPool")
        #> submit() of another: BrokenProcessPool
    executor.shutdown()
