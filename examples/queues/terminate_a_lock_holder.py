"""Kill a worker that holds a Lock, and repair the Lock."""

import time
from multiprocessing import Lock, Pipe, Process


def hold(lock, ready):
    lock.acquire()
    ready.send("ready")
    time.sleep(60)


def try_after(end):
    lock = Lock()
    receiver, sender = Pipe(duplex=False)
    worker = Process(target=hold, args=(lock, sender))
    worker.start()
    receiver.recv()
    end(worker)
    worker.join()
    acquired = lock.acquire(timeout=0.5)
    lock.release()  # Any process may release a Lock.
    return f"{acquired}, after release {lock.acquire(timeout=0.5)}"


if __name__ == "__main__":
    print("terminate(): acquired", try_after(Process.terminate))
    #> terminate(): acquired False, after release True
    print("kill(): acquired", try_after(Process.kill))
    #> kill(): acquired False, after release True
