"""Diagnose a worker that waits for its thread."""

# /// script
# dependencies = ["process-terminate"]
# [tool.evidence]
# platforms = ["linux"]
# ///
import threading
import time
from multiprocessing import Process
from textwrap import wrap

from process_terminate import diagnose


def work():
    thread = threading.Thread(target=time.sleep, args=[60])
    thread.start()
    thread.join()


def find(pid, name):
    for _ in range(1000):
        if found := diagnose(pid).get(name):
            return wrap(f"{name}: {found.text}", 56)
        time.sleep(0.01)
    return [f"not {name}: {diagnose(pid)}"]


if __name__ == "__main__":
    worker = Process(target=work)
    worker.start()
    for line in find(worker.pid, "waits-for-a-thread"):
        print(line)
        #> waits-for-a-thread: Its main thread waits for another
        #> thread of this process (1 more run): for a lock, a
        #> queue, join(), or at exit for a thread that is no
        #> daemon.
    worker.kill()
    worker.join()
