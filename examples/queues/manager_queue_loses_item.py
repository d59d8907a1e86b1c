"""A Manager's queue gives the next item to a dead worker."""

# /// script
# dependencies = ["psutil"]
# ///
import time
from multiprocessing import Manager, Pipe, Process

import psutil


def read(queue, ready):
    queue.qsize()  # Connects to the server of the Manager.
    ready.send("ready")
    queue.get()


if __name__ == "__main__":
    with Manager() as manager:
        queue = manager.Queue()
        receiver, sender = Pipe(duplex=False)
        reader = Process(target=read, args=(queue, sender))
        reader.start()
        receiver.recv()
        # Until it has asked for an item, and waits for the answer.
        while psutil.Process(reader.pid).status() != "sleeping":
            time.sleep(0.01)
        reader.terminate()
        reader.join()
        queue.put("one")
        # Until a dead reader got the item.
        while queue.qsize():
            time.sleep(0.01)
        print("after put(): empty", queue.empty())
        #> after put(): empty True
        queue.put("two")
        print("after another put():", queue.get(timeout=30))
        #> after another put(): two
