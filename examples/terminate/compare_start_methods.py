"""Compare what a worker has of its parent by each start method."""

import os
import signal
from multiprocessing import Pipe, get_context

settings = {"debug": False}


def work(report):
    handler = signal.getsignal(signal.SIGTERM) != signal.SIG_DFL
    report.send((handler, settings["debug"], os.getppid()))


if __name__ == "__main__":
    old = signal.signal(signal.SIGTERM, lambda *args: None)
    settings["debug"] = True
    for method in ("fork", "spawn", "forkserver"):
        receiver, sender = Pipe(duplex=False)
        worker = get_context(method).Process(
            target=work, args=(sender,)
        )
        worker.start()
        handler, debug, parent = receiver.recv()
        worker.join()
        mine = parent == os.getpid()
        print(
            f"{method}: handler {handler}, debug {debug}, child {mine}"
        )
        #> fork: handler True, debug True, child True
        #> spawn: handler False, debug False, child True
        #> forkserver: handler False, debug False, child False
    signal.signal(signal.SIGTERM, old)
