"""Terminate a worker in the middle of a large Connection.send()."""

import fcntl
import sys
import termios
import time
from multiprocessing import Pipe, Process


def work(sender):
    sender.send(bytes(10**7))  # More than a pipe holds.


def bytes_waiting(connection):
    count = fcntl.ioctl(connection, termios.FIONREAD, bytes(4))
    return int.from_bytes(count, sys.byteorder)


if __name__ == "__main__":
    receiver, sender = Pipe(duplex=False)
    worker = Process(target=work, args=(sender,))
    worker.start()
    sender.close()  # Otherwise the pipe does not end.
    # Until more than the header.
    while bytes_waiting(receiver) <= 4:
        time.sleep(0.01)
    worker.terminate()
    worker.join()
    try:
        receiver.recv()
    except OSError as error:
        print(error)
        #> got end of file during message
