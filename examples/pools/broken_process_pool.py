"""Kill one worker of a ProcessPoolExecutor: every task fails."""

import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children

if __name__ == "__main__":
    executor = ProcessPoolExecutor(max_workers=2)
    running = [executor.submit(time.sleep, 60) for _ in range(2)]
    while not all(future.running() for future in running):
        time.sleep(0.01)
    print("cancel() of a running task:", running[0].cancel())
    #> cancel() of a running task: False
    queued = executor.submit(pow, 2, 3)

    active_children()[0].kill()
    for future in [*running, queued]:
        print(type(future.exception()).__name__)
        #> BrokenProcessPool
        #> BrokenProcessPool
        #> BrokenProcessPool
    try:
        executor.submit(pow, 2, 3)
    except BrokenProcessPool:
        print("submit() of another: BrokenProcessPool")
        #> submit() of another: BrokenProcessPool
    executor.shutdown()
