"""Escalate to kill() when a worker ignores SIGTERM."""

import signal
import time
from multiprocessing import Pipe, Process


def work(ready):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    ready.send("ready")
    time.sleep(60)


if __name__ == "__main__":
    receiver, sender = Pipe(duplex=False)
    worker = Process(target=work, args=(sender,))
    worker.start()
    print("the worker is", receiver.recv())
    #> the worker is ready
    worker.terminate()
    # Without a timeout it waits 60 seconds.
    worker.join(timeout=0.5)
    print("alive", worker.is_alive(), "exit code", worker.exitcode)
    #> alive True exit code None
    worker.kill()
    worker.join()
    print("alive", worker.is_alive(), "exit code", worker.exitcode)
    #> alive False exit code -9
