"""Set a signal handler in a thread: only the main thread may."""

import signal
import sys
import time
from multiprocessing import Pipe, Process
from threading import Thread


def handle():
    signal.signal(signal.SIGTERM, lambda *args: sys.exit(3))


def set_handler(report):
    try:
        handle()
    except ValueError as error:
        report.send(str(error).split(" of")[0])


def work(report):
    thread = Thread(target=set_handler, args=(report,))
    thread.start()
    thread.join()
    handle()
    report.send("then set")
    while True:  # A signal just before a long sleep would wait.
        time.sleep(0.1)


if __name__ == "__main__":
    receiver, sender = Pipe(duplex=False)
    worker = Process(target=work, args=(sender,))
    worker.start()
    print(receiver.recv(), receiver.recv(), sep="; ")
    #> signal only works in main thread; then set
    worker.terminate()
    worker.join()
    print("exit code", worker.exitcode)
    #> exit code 3
