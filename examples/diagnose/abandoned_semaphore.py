"""Diagnose a worker whose Lock a dead worker has taken."""

# /// script
# dependencies = ["process-terminate"]
# [tool.evidence]
# platforms = ["linux"]
# ///
import time
from multiprocessing import Lock, Pipe, Process
from textwrap import wrap

from process_terminate import diagnose, stop_tree


def program(pipe):
    lock = Lock()
    holder, waiter = (Process(target=lock.acquire) for _ in "ab")
    holder.start()
    holder.join()
    waiter.start()
    pipe.send(waiter.pid)
    waiter.join()


def find(pid, name):
    while not (found := diagnose(pid).get(name)):
        time.sleep(0.01)
    return wrap(f"{name}: {found.text}", 56)


if __name__ == "__main__":
    receiver, sender = Pipe(duplex=False)
    parent = Process(target=program, args=[sender])
    parent.start()
    for line in find(receiver.recv(), "abandoned-semaphore"):
        print(line)
        #> abandoned-semaphore: Each process that has it waits for
        #> it, or for such a process: no process is left that could
        #> release it, so it will wait forever.
    stop_tree(parent)
