"""Diagnose a worker that waits for a locked file."""

# /// script
# dependencies = ["process-terminate"]
# [tool.evidence]
# platforms = ["linux"]
# ///
import fcntl
import tempfile
import time
from multiprocessing import Process
from textwrap import wrap

from process_terminate import diagnose


def work(path):
    with open(path) as file:
        fcntl.flock(file, fcntl.LOCK_EX)


def find(pid, name):
    for _ in range(1000):
        if found := diagnose(pid).get(name):
            return wrap(f"{name}: {found.text}", 56)
        time.sleep(0.01)
    return [f"not {name}: {diagnose(pid)}"]


if __name__ == "__main__":
    with tempfile.NamedTemporaryFile() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        worker = Process(target=work, args=[file.name])
        worker.start()
        for line in find(worker.pid, "waits-for-a-file-lock"):
            print(line)
            #> waits-for-a-file-lock: It waits for a lock of a file
            #> that the calling process holds.
        worker.kill()
        worker.join()
