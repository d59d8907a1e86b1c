"""Stop many workers within one grace period, not one for each."""

# /// script
# dependencies = ["process-terminate"]
# ///
import signal
import time
from multiprocessing import Pipe, Process

from process_terminate import stop_all


def ignore(ready):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    ready.send("ready")
    time.sleep(60)


def one_by_one(workers, grace):
    for worker in workers:
        worker.terminate()
        worker.join(grace)
        worker.kill()
        worker.join()


if __name__ == "__main__":
    for stop in (one_by_one, stop_all):
        receiver, sender = Pipe(duplex=False)
        workers = []
        for _ in range(4):
            workers.append(Process(target=ignore, args=(sender,)))
            workers[-1].start()
            receiver.recv()
        began = time.monotonic()
        stop(workers, grace=0.4)
        each = time.monotonic() - began >= 4 * 0.4
        print(f"{stop.__name__}: the grace for each {each}")
        #> one_by_one: the grace for each True
        #> stop_all: the grace for each False
