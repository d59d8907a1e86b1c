"""Raise SystemExit in a worker whose thread keeps it running."""

import signal
import sys
import time
from multiprocessing import Pipe, Process
from threading import Thread


def work(pipe, daemon):
    signal.signal(signal.SIGTERM, lambda *args: sys.exit(143))
    Thread(target=pipe.recv, daemon=daemon).start()
    pipe.send("ready")
    while True:
        time.sleep(0.1)


def terminate(daemon, timeout=None):
    ours, theirs = Pipe()
    worker = Process(target=work, args=(theirs, daemon))
    worker.start()
    ours.recv()
    worker.terminate()
    worker.join(timeout)
    print(f"daemon thread {daemon}: exit code", worker.exitcode)
    #> daemon thread True: exit code 143
    #> daemon thread False: exit code None
    ours.send("The thread may end.")
    worker.join()
    return worker.exitcode


if __name__ == "__main__":
    terminate(daemon=True)
    print("the thread over:", terminate(daemon=False, timeout=1))
    #> the thread over: 143
