"""Leave a Pool by close(), terminate() and the end of a block."""

import time
from multiprocessing import Pool, TimeoutError


def work(seconds):
    time.sleep(seconds)
    return "done"


def outcome(result):
    try:
        return result.get(timeout=0.3)
    except TimeoutError:
        return "no result, get() would hang"


if __name__ == "__main__":
    pool = Pool(1)
    result = pool.apply_async(work, [0.2])
    pool.close()
    pool.join()
    print("close() and join():", outcome(result))
    #> close() and join(): done

    pool = Pool(1)
    result = pool.apply_async(work, [60])
    pool.terminate()
    pool.join()
    print("terminate() and join():", outcome(result))
    #> terminate() and join(): no result, get() would hang

    with Pool(1) as pool:
        result = pool.apply_async(work, [60])
    print("the end of the block:", outcome(result))
    #> the end of the block: no result, get() would hang
    pool.join()
