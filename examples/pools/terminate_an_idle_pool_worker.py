"""Terminate the idle worker of a Pool: Pool.terminate() hangs."""

import time
from multiprocessing import Pool, TimeoutError, active_children
from threading import Thread

if __name__ == "__main__":
    pool = Pool(1)
    lock = pool._inqueue._rlock
    # Until the worker waits for a task, where it holds this lock.
    while lock.acquire(block=False):
        lock.release()
        time.sleep(0.01)

    (worker,) = active_children()
    worker.terminate()
    while worker.is_alive():  # The pool joins it as well.
        time.sleep(0.01)
    print("the worker is dead")
    #> the worker is dead
    try:
        pool.apply_async(pow, [2, 3]).get(timeout=0.5)
    except TimeoutError:
        print("apply_async(): no result")
        #> apply_async(): no result
    terminate = Thread(target=pool.terminate, daemon=True)
    terminate.start()
    terminate.join(timeout=0.5)
    print("Pool.terminate(): hanging", terminate.is_alive())
    #> Pool.terminate(): hanging True
    lock.release()  # What the dead worker can no longer do.
    terminate.join(timeout=5)
    print("Pool.terminate(): hanging", terminate.is_alive())
    #> Pool.terminate(): hanging False
