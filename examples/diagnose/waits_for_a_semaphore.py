"""Diagnose a worker that waits for a Lock."""

# /// script
# dependencies = ["process-terminate"]
# [tool.evidence]
# platforms = ["linux"]
# ///
import time
from multiprocessing import Lock, Process
from textwrap import wrap

from process_terminate import diagnose


def wait(lock):
    lock.acquire()


def find(pid, name):
    for _ in range(1000):
        if found := diagnose(pid).get(name):
            return wrap(f"{name}: {found.text}", 56)
        time.sleep(0.01)
    return [f"not {name}: {diagnose(pid)}"]


if __name__ == "__main__":
    lock = Lock()
    lock.acquire()
    worker = Process(target=wait, args=[lock])
    worker.start()
    for line in find(worker.pid, "waits-for-a-semaphore"):
        print(line)
        #> waits-for-a-semaphore: It waits for a lock, queue, event
        #> or semaphore of multiprocessing, which it shares with
        #> the calling process.

    worker.kill()
    worker.join()
