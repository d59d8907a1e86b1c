"""Shut an executor down without waiting: a running task goes on."""

import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path


def until(path):
    while not path.exists():
        time.sleep(0.01)


def work(started, order):
    started.touch()
    until(order)
    return "done"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        started, order = Path(folder, "started"), Path(folder, "order")
        executor = ProcessPoolExecutor(max_workers=1)
        running = executor.submit(work, started, order)
        until(started)
        executor.shutdown(wait=False)
        print("after shutdown(): running", running.running())
        #> after shutdown(): running True
        order.touch()
        print("its result:", running.result())
        #> its result: done
