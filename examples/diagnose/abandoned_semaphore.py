"""Diagnose a worker whose Lock a dead worker has taken."""

# /// script
# dependencies = ["process-terminate"]
# [tool.evidence]
# platforms = ["linux"]
# ///
import time
from multiprocessing import get_context
from textwrap import wrap

from process_terminate import diagnose, stop_tree

fork = get_context("fork")


def program(pipe):
    lock = fork.Lock()
    holder, waiter = (fork.Process(target=lock.acquire) for _ in "ab")
    holder.start()
    holder.join()
    waiter.start()
    pipe.send(waiter.pid)
    waiter.join()


if __name__ == "__main__":
    receiver, sender = fork.Pipe(duplex=False)
    parent = fork.Process(target=program, args=[sender])
    parent.start()
    pid = receiver.recv()
    while not (found := diagnose(pid).get("abandoned-semaphore")):
        time.sleep(0.01)
    for line in wrap(f"{found.name}: {found.text}", 56):
        print(line)
        #> abandoned-semaphore: Each process that has it waits for
        #> it, or for such a process: no process is left that could
        #> release it, so it will wait forever.
    stop_tree(parent)
