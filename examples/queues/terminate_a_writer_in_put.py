"""Terminate a worker whose queue still writes a large item."""

import time
from multiprocessing import Pipe, Process, Queue


def write(queue, item, report):
    queue.put(item)
    report.send("put() returned")


def read(queue, report):
    report.send("get(timeout=1) called")
    queue.get(timeout=1)


if __name__ == "__main__":
    queue = Queue()
    receiver, sender = Pipe(duplex=False)
    writer = Process(target=write, args=(queue, bytes(10**7), sender))
    writer.start()
    receiver.recv()
    while queue.empty():  # Until a part of it is in the pipe.
        time.sleep(0.01)
    writer.terminate()
    writer.join()
    next_writer = Process(target=write, args=(queue, "next", sender))
    reader = Process(target=read, args=(queue, sender))
    for victim in next_writer, reader:
        victim.start()
        print(receiver.recv())
        #> put() returned
        #> get(timeout=1) called
    reader.join(timeout=2)
    for victim in next_writer, reader:
        print("2 seconds later: alive", victim.is_alive())
        #> 2 seconds later: alive True
        #> 2 seconds later: alive True
        victim.kill()
        victim.join()
