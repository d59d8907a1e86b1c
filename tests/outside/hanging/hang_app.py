"""A web application whose backend never answers."""

import socket

BACKEND = socket.create_server(("127.0.0.1", 0))


def app(*_: object) -> list[bytes]:
    """Ask the backend, without a timeout."""
    with socket.create_connection(BACKEND.getsockname()) as connection:
        return [connection.recv(100)]
