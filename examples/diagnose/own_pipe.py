"""Diagnose a worker that keeps its own pipe open."""

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
    context = get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    worker = context.Process(target=receiver.recv)
    worker.start()
    # The worker has a copy of the sending end.
    sender.close()
    for line in find(worker.pid, "own-pipe"):
        print(line)
        #> own-pipe: Only the process itself has the other end of
        #> that pipe, and all its threads wait: it will wait
        #> forever.

    worker.kill()
    worker.join()
