"""Diagnose a worker that opens a named pipe which has no other end."""

# /// script
# dependencies = ["process-terminate"]
# [tool.evidence]
# platforms = ["linux"]
# ///
import multiprocessing
import os
import tempfile
import time
from textwrap import wrap

from process_terminate import diagnose


def find(pid, name):
    for _ in range(1000):
        if found := diagnose(pid).get(name):
            return wrap(f"{name}: {found.text}", 56)
        time.sleep(0.01)
    return [f"not {name}: {diagnose(pid)}"]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/pipe"
        os.mkfifo(path)
        worker = multiprocessing.Process(target=open, args=(path,))
        worker.start()
        for line in find(worker.pid, "waits-to-open"):
            print(line)
            #> waits-to-open: It waits in open() of a named pipe until
            #> another process opens it for writing.

        worker.terminate()
        worker.join()
        print(worker.exitcode)
        #> -15
