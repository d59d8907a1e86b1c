"""psutil does not find an orphan: it has another parent."""

# /// script
# dependencies = ["psutil"]
# ///
import subprocess
import time
from multiprocessing import Pipe, Process

import psutil

# A shell that starts a program in the background, and ends.
SHELL = ["sh", "-c", "sleep 60 >&2 & echo $!"]


def work(report):
    report.send(int(subprocess.check_output(SHELL)))
    time.sleep(60)


if __name__ == "__main__":
    receiver, sender = Pipe(duplex=False)
    worker = Process(target=work, args=(sender,))
    worker.start()
    grandchild = psutil.Process(receiver.recv())
    tree = psutil.Process(worker.pid)
    descendants = tree.children(recursive=True)
    print("found below the worker:", descendants)
    #> found below the worker: []
    for process in [*descendants, tree]:
        process.kill()
    worker.join()
    print("the grandchild lives:", grandchild.is_running())
    #> the grandchild lives: True
    grandchild.kill()
