"""Check a pid file: its pid exists, and yet the server is dead."""

import fcntl
import os
import tempfile
from multiprocessing import Pipe, Process


def serve(path, ready):
    with open(path, "ab", buffering=0) as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        file.truncate(0)
        file.write(b"%d" % os.getpid())
        ready.send("ready")
        ready.recv()


def check(path):
    with open(path) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return "locked: the server runs"
    return "not locked: the server is dead"


if __name__ == "__main__":
    pipe, other = Pipe()
    with tempfile.NamedTemporaryFile(buffering=0) as file:
        file.write(b"%d" % os.getpid())  # A dead server's, once.
        print("stale file:", check(file.name))
        #> stale file: not locked: the server is dead
        server = Process(target=serve, args=[file.name, other])
        server.start()
        other.close()  # Otherwise recv() hangs if the server dies.
        pipe.recv()
        print("new server:", check(file.name))
        #> new server: locked: the server runs
        server.kill()
        server.join()
