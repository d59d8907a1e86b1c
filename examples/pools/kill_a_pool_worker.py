"""Kill a worker of a Pool in its task: the result never arrives."""

import os
import signal
from multiprocessing import Pool, TimeoutError
from threading import Thread


def die():
    # As the OOM killer does.
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    pool = Pool(1)
    result = pool.apply_async(die)
    print("the next task:", pool.apply(pow, [2, 3]))
    #> the next task: 8
    try:
        result.get(timeout=0.5)
    except TimeoutError:
        print("the task that died: ready", result.ready())
        #> the task that died: ready False
    pool.close()
    join = Thread(target=pool.join, daemon=True)
    join.start()
    join.join(timeout=0.5)
    print("close() and join(): hanging", join.is_alive())
    #> close() and join(): hanging True
    pool.terminate()
    join.join(timeout=5)
    print("terminate(): hanging", join.is_alive())
    #> terminate(): hanging False
