"""Terminate a worker that holds an RLock: it stays locked."""

import time
from multiprocessing import Pipe, Process, RLock


def hold(lock, ready):
    lock.acquire()
    ready.send("holds the lock")
    time.sleep(60)


if __name__ == "__main__":
    lock = RLock()
    receiver, sender = Pipe(duplex=False)
    worker = Process(target=hold, args=(lock, sender))
    worker.start()
    print("the worker", receiver.recv())
    #> the worker holds the lock
    worker.terminate()
    worker.join()
    print("acquired", lock.acquire(timeout=0.5))
    #> acquired False
    try:
        lock.release()
    except AssertionError as error:
        print(error)
        #> attempt to release recursive lock not owned by thread
