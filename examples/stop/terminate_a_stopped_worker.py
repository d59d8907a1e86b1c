"""Terminate a paused worker: it dies only after SIGCONT."""

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

    worker.terminate()
    worker.join(timeout=0.5)
    print("stopped: alive", worker.is_alive())
    #> stopped: alive True
    os.kill(worker.pid, signal.SIGCONT)
    worker.join()
    print("continued: exit code", worker.exitcode)
    #> continued: exit code -15
