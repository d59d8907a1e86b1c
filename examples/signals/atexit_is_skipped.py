"""Terminate a worker: its atexit functions do not run."""

import atexit
import tempfile
from multiprocessing import get_context
from pathlib import Path

# Under spawn a worker that returns runs its atexit functions on every
# Python; under fork and forkserver only in 3.13 and later.
spawn = get_context("spawn")


def work(marker, pipe):
    atexit.register(marker.touch)
    pipe.send("ready")
    pipe.recv()


def run(ending):
    with tempfile.TemporaryDirectory() as folder:
        marker = Path(folder, "atexit")
        ours, theirs = spawn.Pipe()
        worker = spawn.Process(target=work, args=(marker, theirs))
        worker.start()
        ours.recv()
        if ending == "terminated":
            worker.terminate()
        else:
            ours.send("return")
        worker.join()
        return marker.exists()


if __name__ == "__main__":
    print("returned: atexit ran", run("returned"))
    #> returned: atexit ran True
    print("terminated: atexit ran", run("terminated"))
    #> terminated: atexit ran False
