"""Stop a Pool and an executor whose workers ignore SIGTERM."""

# /// script
# dependencies = ["process-terminate"]
# ///
import signal
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import Pool

from process_terminate import stop_pool

IGNORE = signal.signal, (signal.SIGTERM, signal.SIG_IGN)

if __name__ == "__main__":
    pool = Pool(1, *IGNORE)
    print("a task of the Pool:", pool.apply(abs, [-1]))
    #> a task of the Pool: 1
    result = pool.apply_async(time.sleep, [60])
    print("its worker:", *stop_pool(pool, grace=0.5))
    #> its worker: killed by SIGKILL (9); a shell shows 137
    try:
        result.get()
    except RuntimeError as error:
        print("get():", error)
        #> get(): the pool was stopped before the task was done

    executor = ProcessPoolExecutor(1, None, *IGNORE)
    print("a task of the executor:", *executor.map(abs, [-1]))
    #> a task of the executor: 1
    task = executor.submit(time.sleep, 60)
    while not task.running():
        time.sleep(0.01)
    print("its worker:", *stop_pool(executor, grace=0.5))
    #> its worker: killed by SIGKILL (9); a shell shows 137
    print("exception():", type(task.exception()).__name__)
    #> exception(): BrokenProcessPool
