"""A daemon that ignores SIGTERM blocks the exit of its program."""

import os
import signal
import time
from multiprocessing import Pipe, Process


def ignore(ready):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    ready.send("ready")
    time.sleep(60)


def program(report):
    receiver, sender = Pipe(duplex=False)
    daemon = Process(target=ignore, args=(sender,), daemon=True)
    daemon.start()
    receiver.recv()
    report.send(daemon.pid)


if __name__ == "__main__":
    receiver, sender = Pipe(duplex=False)
    process = Process(target=program, args=(sender,))
    process.start()
    # The last thing that the program does.
    daemon = receiver.recv()
    process.join(timeout=1)
    print("the program has ended:", not process.is_alive())
    #> the program has ended: False
    os.kill(daemon, signal.SIGKILL)
    process.join()
    print("the daemon killed, it ends with", process.exitcode)
    #> the daemon killed, it ends with 0
