"""Terminate a worker that merely waits in Queue.get()."""

import time
from multiprocessing import Process, Queue
from queue import Empty


def read(queue):
    queue.get()


if __name__ == "__main__":
    queue = Queue()
    reader = Process(target=read, args=(queue,))
    reader.start()
    # Until it waits inside get(), where it holds the queue's lock.
    while queue._rlock.acquire(block=False):
        queue._rlock.release()
        time.sleep(0.01)

    reader.terminate()
    reader.join()
    queue.put("an item")
    while queue.empty():  # Until the item is in the queue's pipe.
        time.sleep(0.01)
    try:
        print(queue.get(timeout=1))
    except Empty:
        print("get() raises Empty; empty() is", queue.empty())
        #> get() raises Empty; empty() is False
