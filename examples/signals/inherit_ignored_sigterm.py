"""Inherit an ignored SIGTERM, under each start method."""

import signal
import time
from multiprocessing import Pipe, get_context


def work(ready):
    ready.send("ready")
    time.sleep(60)


def exitcode_of(method):
    receiver, sender = Pipe(duplex=False)
    worker = get_context(method).Process(target=work, args=(sender,))
    worker.start()
    receiver.recv()
    worker.terminate()
    worker.join(timeout=0.4)
    exitcode = worker.exitcode
    worker.kill()
    worker.join()
    return exitcode


if __name__ == "__main__":
    old = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for method in ("fork", "spawn", "forkserver"):
        print(f"{method}: exit code", exitcode_of(method))
        #> fork: exit code None
        #> spawn: exit code None
        #> forkserver: exit code None
    signal.signal(signal.SIGTERM, old)
    print("forkserver, later: exit code", exitcode_of("forkserver"))
    #> forkserver, later: exit code None
