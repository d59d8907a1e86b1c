"""Terminate an idle worker that has put items: none is lost."""

import time
from multiprocessing import Pipe, Process, Queue


def write(queue, report):
    queue.put("Message1")
    queue.put("Message2")
    queue.close()
    # Until both are in the queue's pipe.
    queue.join_thread()
    report.send("idle")
    time.sleep(60)


if __name__ == "__main__":
    queue = Queue()
    receiver, sender = Pipe(duplex=False)
    writer = Process(target=write, args=(queue, sender))
    writer.start()
    print("the writer is", receiver.recv())
    #> the writer is idle
    writer.terminate()
    writer.join()
    print("exit code", writer.exitcode)
    #> exit code -15
    print(queue.get(timeout=5), queue.get(timeout=5))
    #> Message1 Message2
    queue.put("Message3")
    print(queue.get(timeout=5))
    #> Message3
