"""Diagnose a worker that SIGSTOP has stopped."""

# /// script
# dependencies = ["process-terminate"]
# [tool.evidence]
# platforms = ["linux"]
# ///
import os
import signal
import time
from multiprocessing import Process
from textwrap import wrap

from process_terminate import diagnose


def find(pid, name):
    for _ in range(1000):
        if found := diagnose(pid).get(name):
            return wrap(f"{name}: {found.text}", 56)
        time.sleep(0.01)
    return [f"not {name}: {diagnose(pid)}"]


if __name__ == "__main__":
    worker = Process(target=time.sleep, args=[60])
    worker.start()

    os.kill(worker.pid, signal.SIGSTOP)
    for line in find(worker.pid, "stopped"):
        print(line)
        #> stopped: It is stopped by a signal (SIGSTOP): SIGTERM
        #> stays pending until it is continued.

    worker.kill()
    worker.join()
