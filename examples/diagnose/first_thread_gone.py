"""Diagnose a worker whose first thread has exited."""

# /// script
# dependencies = ["process-terminate"]
# [tool.evidence]
# platforms = ["linux"]
# ///
import ctypes
import threading
import time
from multiprocessing import Process
from textwrap import wrap

from process_terminate import diagnose


def work():
    threading.Thread(target=time.sleep, args=[60]).start()
    ctypes.CDLL(None).pthread_exit(None)


def find(pid, name):
    for _ in range(1000):
        if found := diagnose(pid).get(name):
            return wrap(f"{name}: {found.text}", 56)
        time.sleep(0.01)
    return [f"not {name}: {diagnose(pid)}"]


if __name__ == "__main__":
    worker = Process(target=work)
    worker.start()
    for line in find(worker.pid, "first-thread-gone"):
        print(line)
        #> first-thread-gone: Its first thread has exited and other
        #> threads run, so it looks like a zombie but is alive.

    worker.kill()
    worker.join()
