"""Build the site strictly and serve it with live reload, on a free port."""

import os
import socket
import sys

HOST = "127.0.0.1"


def main(port: int) -> None:
    """Become `mkdocs serve`, unless the port is taken."""
    with socket.socket() as probe:
        # As the server does, so that a port just left counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            sys.exit(
                f"serve: port {port} cannot be had ({error.strerror}); "
                f"take another with: make serve PORT={port + 1}"
            )
    command = [sys.executable, "-m", "mkdocs", "serve", "--strict"]
    os.execv(sys.executable, [*command, "--dev-addr", f"{HOST}:{port}"])


if __name__ == "__main__":
    try:
        main(int(sys.argv[1]))
    except ValueError:
        sys.exit(f"serve: PORT is a number, not {sys.argv[1]!r}")
