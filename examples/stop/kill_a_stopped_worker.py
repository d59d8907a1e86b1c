"""Kill a paused worker, which needs no SIGCONT to die."""

# /// script
# dependencies = ["psutil"]
# ///
import os
import signal
import time
from multiprocessing import Pipe, Process

import psutil


def work(ready):
    ready.send("ready")
    time.sleep(60)


if __name__ == "__main__":
    receiver, sender = Pipe(duplex=False)
    worker = Process(target=work, args=(sender,))
    worker.start()
    receiver.recv()
    os.kill(worker.pid, signal.SIGSTOP)
    while psutil.Process(worker.pid).status() != psutil.STATUS_STOPPED:
        time.sleep(0.01)

    worker.kill()
    worker.join()
    print("exit code", worker.exitcode)
    #> exit code -9
