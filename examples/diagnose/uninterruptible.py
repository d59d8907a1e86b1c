"""Diagnose a worker that waits inside the kernel."""

# /// script
# dependencies = ["process-terminate"]
# [tool.evidence]
# platforms = ["linux"]
# ///
import os
import tempfile
import time
from multiprocessing import Process
from textwrap import wrap

from process_terminate import diagnose


def work(path):
    files = [(os.POSIX_SPAWN_OPEN, 0, path, os.O_RDONLY, 0)]
    os.posix_spawn("/bin/true", ["true"], {}, file_actions=files)


def find(pid, name):
    for _ in range(1000):
        if found := diagnose(pid).get(name):
            return wrap(f"{name}: {found.text}", 56)
        time.sleep(0.01)
    return [f"not {name}: {diagnose(pid)}"]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.mkfifo(path := f"{folder}/fifo")
        worker = Process(target=work, args=[path])
        worker.start()
        for line in find(worker.pid, "uninterruptible"):
            print(line)
            #> uninterruptible: It waits until the child that it starts
            #> has called exec() or exited.
        os.close(os.open(path, os.O_WRONLY))
        worker.join()
