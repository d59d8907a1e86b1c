"""Diagnose a worker that runs an event loop."""

# /// script
# dependencies = ["process-terminate"]
# [tool.evidence]
# platforms = ["linux"]
# ///
import asyncio
import time
from multiprocessing import Process
from textwrap import wrap

from process_terminate import diagnose


def serve():
    asyncio.run(asyncio.sleep(60))


def find(pid, name):
    for _ in range(1000):
        if found := diagnose(pid).get(name):
            return wrap(f"{name}: {found.text}", 56)
        time.sleep(0.01)
    return [f"not {name}: {diagnose(pid)}"]


if __name__ == "__main__":
    worker = Process(target=serve)
    worker.start()
    for line in find(worker.pid, "waits-for-events"):
        print(line)
        #> waits-for-events: It waits until one of its files is
        #> ready, as an event loop does.

    worker.kill()
    worker.join()
