"""Join a dead worker whose child runs: the timeout runs out."""

# /// script
# dependencies = ["process-terminate", "psutil"]
# ///
import time
from multiprocessing import get_context

import psutil

from process_terminate import stop

fork = get_context("fork")  # Only fork hands the sentinel down.


def work(pipe):
    fork.Process(target=pipe.recv).start()
    pipe.send("ready")
    time.sleep(60)


def seconds(call, argument):
    began = time.monotonic()
    call(argument)
    return time.monotonic() - began


if __name__ == "__main__":
    ours, theirs = fork.Pipe()
    worker = fork.Process(target=work, args=(theirs,))
    worker.start()
    ours.recv()
    worker.kill()
    while psutil.Process(worker.pid).status() != "zombie":
        time.sleep(0.01)
    print("join(1) waited 1 second", seconds(worker.join, 1) >= 1)
    #> join(1) waited 1 second True
    print("stop() waited its grace", seconds(stop, worker) >= 5)
    #> stop() waited its grace False
    ours.send("end")  # And the grandchild returns.
