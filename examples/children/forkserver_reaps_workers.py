"""See which process reaps a worker: yours, or the forkserver."""

import os
from multiprocessing import Pipe, get_context
from multiprocessing.connection import wait


def work(sender):
    sender.send(os.getppid())


def answers(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    for method in ("fork", "spawn", "forkserver"):
        receiver, sender = Pipe(duplex=False)
        worker = get_context(method).Process(
            target=work, args=(sender,)
        )
        worker.start()
        child = receiver.recv() == os.getpid()
        # It has ended, and is not joined.
        wait([worker.sentinel])
        free = not answers(worker.pid)
        print(f"{method}: my child {child}, its pid is free {free}")
        #> fork: my child True, its pid is free False
        #> spawn: my child True, its pid is free False
        #> forkserver: my child False, its pid is free True
        worker.join()
