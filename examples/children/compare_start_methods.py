"""Compare the start methods: parent, signal handler and data."""

import os
import signal
from multiprocessing import Pipe, get_context

data = "imported"


def work(report):
    handler = signal.getsignal(signal.SIGTERM)
    mine = handler is not signal.SIG_DFL
    report.send(f"handler {mine}, data {data}")
    report.recv()


def is_my_child(pid):
    try:
        return os.waitpid(pid, os.WNOHANG) == (0, 0)
    except ChildProcessError:
        return False


if __name__ == "__main__":
    data = "changed"
    old = signal.signal(signal.SIGTERM, lambda *args: None)
    for method in ("fork", "spawn", "forkserver"):
        ours, theirs = Pipe()
        worker = get_context(method).Process(target=work, args=[theirs])
        worker.start()
        answer = ours.recv()
        print(f"{method}: child {is_my_child(worker.pid)}, {answer}")
        #> fork: child True, handler True, data changed
        #> spawn: child True, handler False, data imported
        #> forkserver: child False, handler False, data imported
        ours.send("return")
        worker.join()
    signal.signal(signal.SIGTERM, old)
