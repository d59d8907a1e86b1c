"""Set a flag on SIGTERM: the worker ends between two items."""

import signal
import time
from multiprocessing import Pipe, Process


def work(report):
    flags = []
    signal.signal(signal.SIGTERM, lambda *args: flags.append("stop"))
    while not flags:
        report.send("item begun")
        time.sleep(0.3)
        report.send("item done")


if __name__ == "__main__":
    receiver, sender = Pipe(duplex=False)
    worker = Process(target=work, args=(sender,))
    worker.start()
    sender.close()  # Or no end of file comes when the worker is dead.
    receiver.recv()
    worker.terminate()
    try:
        while True:
            last = receiver.recv()
    except EOFError:
        print("the last message:", last)
        #> the last message: item done
    worker.join()
    print("exit code", worker.exitcode)
    #> exit code 0
