"""Call join(), start() and close() at the wrong time."""

import time
from multiprocessing import Process


def error_of(call):
    try:
        call()
    except (AssertionError, ValueError) as error:
        return f"{type(error).__name__}: {str(error).split('.')[0]}"


if __name__ == "__main__":
    worker = Process(target=time.sleep, args=(60,))
    print(error_of(worker.join))
    #> AssertionError: can only join a started process
    worker.start()
    print(error_of(worker.start))
    #> AssertionError: cannot start a process twice
    print(error_of(worker.close))
    #> ValueError: Cannot close a process while it is still running
    worker.terminate()
    worker.join()
    print("in the right order:", error_of(worker.close))
    #> in the right order: None
