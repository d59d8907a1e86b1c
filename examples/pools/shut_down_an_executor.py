"""Shut down an executor without waiting: its task still runs."""

import threading
from concurrent.futures import CancelledError, ProcessPoolExecutor
from multiprocessing import Pipe


def begin(pipe):
    work.pipe = pipe


def work():
    work.pipe.send("ready")
    return work.pipe.recv()


if __name__ == "__main__":
    ours, theirs = Pipe()
    executor = ProcessPoolExecutor(
        1, initializer=begin, initargs=[theirs]
    )
    running = executor.submit(work)
    queued = [executor.submit(abs, number) for number in range(9)]
    ours.recv()
    executor.shutdown(wait=False, cancel_futures=True)
    try:
        queued[-1].result()
    except CancelledError:
        print("the last task: canceled")
        #> the last task: canceled
    print("the first task: running", running.running())
    #> the first task: running True
    ours.send("a result")
    print("the first task:", running.result())
    #> the first task: a result
    for thread in threading.enumerate():
        if thread is not threading.main_thread():
            thread.join()
