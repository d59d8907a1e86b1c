"""Diagnose a worker that waits for its parent to write."""

# /// script
# dependencies = ["process-terminate"]
# [tool.evidence]
# platforms = ["linux"]
# ///
import time
from multiprocessing import get_context
from textwrap import wrap

from process_terminate import diagnose


def find(pid, name):
    for _ in range(1000):
        if found := diagnose(pid).get(name):
            return wrap(f"{name}: {found.text}", 56)
        time.sleep(0.01)
    return [f"not {name}: {diagnose(pid)}"]


if __name__ == "__main__":
    context = get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    worker = context.Process(target=receiver.recv)
    worker.start()
    for line in find(worker.pid, "waits-for-a-pipe"):
        print(line)
        #> waits-for-a-pipe: It waits to read a pipe to which the
        #> calling process can write.

    worker.kill()
    worker.join()
