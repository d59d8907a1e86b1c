"""Bind the port of a killed server that had a client: SO_REUSEADDR."""

import socket
from multiprocessing import Pipe, Process


def bind(server, address, reuse):
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, reuse)
    try:
        return server.bind(address) or "free"
    except OSError as error:
        return error.strerror


def serve(reuse, report):
    with socket.socket() as server:
        bind(server, ("127.0.0.1", 0), reuse)
        server.listen()
        report.send(server.getsockname())
        _client = server.accept()
        report.send("connected")
        server.accept()  # Until it is killed.


if __name__ == "__main__":
    for old, new in (0, 0), (0, 1), (1, 0), (1, 1):
        receiver, sender = Pipe(duplex=False)
        process = Process(target=serve, args=[old, sender])
        process.start()
        address = receiver.recv()
        with socket.create_connection(address):
            receiver.recv()
            process.kill()
            process.join()
        with socket.socket() as server:
            print(f"old {old}, new {new}:", bind(server, address, new))
            #> old 0, new 0: Address already in use
            #> old 0, new 1: Address already in use
            #> old 1, new 0: Address already in use
            #> old 1, new 1: free
