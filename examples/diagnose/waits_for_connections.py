"""Diagnose a server that waits for connections."""

# /// script
# dependencies = ["process-terminate"]
# [tool.evidence]
# platforms = ["linux"]
# ///
import socket
import time
from multiprocessing import Process
from textwrap import wrap

from process_terminate import diagnose


def serve():
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.accept()


def find(pid, name):
    for _ in range(1000):
        if found := diagnose(pid).get(name):
            return wrap(f"{name}: {found.text}", 56)
        time.sleep(0.01)
    return [f"not {name}: {diagnose(pid)}"]


if __name__ == "__main__":
    worker = Process(target=serve)
    worker.start()
    for line in find(worker.pid, "waits-for-connections"):
        print(line)
        #> waits-for-connections: It is a server and waits for
        #> connections.

    worker.kill()
    worker.join()
