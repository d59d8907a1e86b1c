"""The kernel closes the socket of a killed server."""

import os
import socket
import time
from multiprocessing import Pipe, Process


def serve(report):
    with socket.create_server(("127.0.0.1", 0)) as server:
        report.send(server.getsockname())
        time.sleep(60)


def bind(address):
    try:
        socket.create_server(address).close()
    except OSError as error:
        return os.strerror(error.errno)
    return "free"


if __name__ == "__main__":
    receiver, sender = Pipe(duplex=False)
    server = Process(target=serve, args=(sender,))
    server.start()
    address = receiver.recv()
    print("alive:", bind(address))
    #> alive: Address already in use
    server.kill()
    server.join()
    print("killed:", bind(address))
    #> killed: free
