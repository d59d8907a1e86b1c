"""Hold a file lock and a Lock: the kernel frees the file lock."""

import fcntl
import tempfile
import time
from multiprocessing import Lock, Pipe, Process


def work(path, lock, ready):
    with open(path) as file, lock:
        fcntl.flock(file, fcntl.LOCK_EX)
        ready.send("ready")
        time.sleep(60)


def try_flock(file):
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


if __name__ == "__main__":
    lock = Lock()
    receiver, sender = Pipe(duplex=False)
    with tempfile.NamedTemporaryFile() as file:
        worker = Process(target=work, args=(file.name, lock, sender))
        worker.start()
        receiver.recv()
        print("file lock", try_flock(file), "Lock", lock.acquire(False))
        #> file lock False Lock False
        worker.terminate()
        worker.join()
        print("file lock", try_flock(file), "Lock", lock.acquire(False))
        #> file lock True Lock False
