"""Let a worker exit when its parent is terminated."""

# /// script
# dependencies = ["psutil"]
# [tool.evidence]
# platforms = ["win32"]
# ///

import os
import subprocess
import sys
from multiprocessing import Process, parent_process

import psutil


def work():
    print(os.getpid(), flush=True)
    parent_process().join()
    os._exit(1)


if __name__ == "__main__" and sys.argv[1:] == ["parent"]:
    Process(target=work).start()
elif __name__ == "__main__":
    command = [sys.executable, __file__, "parent"]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE)
    worker = psutil.Process(int(parent.stdout.readline()))
    print("the worker runs:", worker.is_running())
    #> the worker runs: True
    parent.terminate()
    parent.communicate()
    worker.wait(timeout=30)
    print("the worker runs:", worker.is_running())
    #> the worker runs: False
