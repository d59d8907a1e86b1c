"""Kill a worker that only waits in Queue.get()."""

import time
from multiprocessing import Process, Queue
from queue import Empty


def read(queue):
    queue.get()


def get_after(end):
    queue = Queue()
    reader = Process(target=read, args=(queue,))
    reader.start()
    # Until it waits inside get(), where it holds the queue's lock.
    while queue._rlock.acquire(block=False):
        queue._rlock.release()
        time.sleep(0.01)

    end(reader)
    reader.join()
    queue.put("an item")
    # Until the item is in the queue's pipe.
    while queue.empty():
        time.sleep(0.01)
    try:
        return queue.get(timeout=0.5)
    except Empty:
        return f"get() raises Empty; empty() is {queue.empty()}"


if __name__ == "__main__":
    print("terminate():", get_after(Process.terminate))
    #> terminate(): get() raises Empty; empty() is False
    print("kill():", get_after(Process.kill))
    #> kill(): get() raises Empty; empty() is False
