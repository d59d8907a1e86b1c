"""Lose an item: the worker is killed right after Queue.put()."""

import os
import signal
import sys
from multiprocessing import Process, Queue
from queue import Empty


def work(queue, flush):
    # The thread that writes gets no turn unless this one waits for it.
    sys.setswitchinterval(60)
    queue.put("an item")
    if flush:
        queue.close()
        queue.join_thread()
    os.kill(os.getpid(), signal.SIGKILL)


def get_after(flush):
    queue = Queue()
    worker = Process(target=work, args=(queue, flush))
    worker.start()
    worker.join()
    try:
        return queue.get(timeout=0.5)
    except Empty:
        return "nothing"


if __name__ == "__main__":
    print("killed after put(): get", get_after(flush=False))
    #> killed after put(): get nothing
    print("after join_thread(): get", get_after(flush=True))
    #> after join_thread(): get an item
