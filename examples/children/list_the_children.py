"""Snapshot a tree with psutil before the signal, not afterwards."""

# /// script
# dependencies = ["psutil"]
# ///
import subprocess
from multiprocessing import Pipe, Process

import psutil

# A shell that says when its program runs, and waits for it.
SHELL = ["sh", "-c", "sleep 60 & echo; wait"]


def work(ready):
    shell = subprocess.Popen(SHELL, stdout=subprocess.PIPE)
    shell.stdout.readline()
    ready.send("ready")
    shell.wait()


if __name__ == "__main__":
    receiver, sender = Pipe(duplex=False)
    worker = Process(target=work, args=(sender,))
    worker.start()
    receiver.recv()
    root = psutil.Process(worker.pid)
    snapshot = root.children(recursive=True)
    worker.terminate()
    worker.join()
    try:
        root.children(recursive=True)
    except psutil.NoSuchProcess:
        print("afterwards psutil finds no children")
        #> afterwards psutil finds no children
    alive = [child.is_running() for child in snapshot]
    print("alive in the snapshot:", *alive)
    #> alive in the snapshot: True True
    for child in snapshot:
        child.kill()  # Unless its pid is another process's now.
