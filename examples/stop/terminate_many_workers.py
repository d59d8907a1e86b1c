"""Terminate many workers with one deadline for all of them."""

import signal
import time
from multiprocessing import Pipe, Process


def work(action, ready):
    signal.signal(signal.SIGTERM, action)
    ready.send("ready")
    time.sleep(60)


def stop_all(workers, grace):
    for worker in workers:
        worker.terminate()
    deadline = time.monotonic() + grace
    for worker in workers:
        worker.join(max(0, deadline - time.monotonic()))
    for worker in workers:
        worker.kill()  # Does nothing to a dead worker.
        worker.join()


if __name__ == "__main__":
    receiver, sender = Pipe(duplex=False)
    workers = []
    for action in [signal.SIG_IGN, signal.SIG_DFL] * 2:
        workers.append(Process(target=work, args=(action, sender)))
        workers[-1].start()
        receiver.recv()
    began = time.monotonic()
    stop_all(workers, grace=0.9)
    each = time.monotonic() - began >= 4 * 0.9
    print("exit codes", *(worker.exitcode for worker in workers))
    #> exit codes -9 -15 -9 -15
    print("the grace for each", each)
    #> the grace for each False
