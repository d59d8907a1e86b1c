"""Stop a worker, even one that ignores SIGTERM."""

# /// script
# dependencies = ["process-terminate"]
# ///
import signal
import time
from multiprocessing import Pipe, Process

from process_terminate import stop


def work(ready):
    ready.send("ready")
    time.sleep(60)


def ignore(ready):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    work(ready)


def start(target):
    receiver, sender = Pipe(duplex=False)
    worker = Process(target=target, args=(sender,))
    worker.start()
    receiver.recv()
    return worker


if __name__ == "__main__":
    print(stop(start(work)))
    #> killed by SIGTERM (15); a shell shows 143
    print(stop(start(ignore), grace=0.3))
    #> killed by SIGKILL (9); a shell shows 137
