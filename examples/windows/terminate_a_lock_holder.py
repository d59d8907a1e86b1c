"""Terminate a worker that holds a lock, which stays locked."""

# /// script
# [tool.evidence]
# platforms = ["win32"]
# ///

import time
from multiprocessing import Lock, Pipe, Process


def work(lock, ready):
    with lock:
        ready.send(None)
        time.sleep(60)


if __name__ == "__main__":
    lock = Lock()
    receiver, sender = Pipe(duplex=False)
    worker = Process(target=work, args=(lock, sender))
    worker.start()
    receiver.recv()
    worker.terminate()
    worker.join()
    print("exit code:", worker.exitcode)
    #> exit code: -15
    print("acquired:", lock.acquire(timeout=1))
    #> acquired: False
