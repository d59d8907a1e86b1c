"""Terminate a worker and read its exit code."""

import time
from multiprocessing import Pipe, Process
from signal import Signals


def work(ready):
    ready.send("ready")
    time.sleep(60)


if __name__ == "__main__":
    receiver, sender = Pipe(duplex=False)
    worker = Process(target=work, args=(sender,))
    worker.start()
    print("the worker is", receiver.recv())
    #> the worker is ready
    worker.terminate()
    worker.join()
    print("exit code", worker.exitcode)
    #> exit code -15
    print("terminated by", Signals(-worker.exitcode).name)
    #> terminated by SIGTERM
