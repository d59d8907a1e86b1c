"""Find the process that still holds a file after its parent's death."""

# /// script
# [tool.evidence]
# platforms = ["linux"]
# ///
import os
import tempfile
from contextlib import suppress
from glob import glob
from multiprocessing import Pipe, Process


def holders(path):
    for link in glob("/proc/[0-9]*/fd/*"):
        with suppress(OSError):  # It has exited, or is another user's.
            if os.path.samefile(link, path):
                yield int(link.split("/")[2])


def work(pipe):
    with tempfile.NamedTemporaryFile() as file:
        pipe.send((os.getpid(), file.name))
        pipe.recv()


def program(pipe):
    Process(target=work, args=[pipe]).start()


if __name__ == "__main__":
    ours, theirs = Pipe()
    process = Process(target=program, args=[theirs])
    process.start()
    worker, path = ours.recv()
    process.kill()
    process.join()
    print("held by the worker alone:", list(holders(path)) == [worker])
    #> held by the worker alone: True
    ours.send("exit")
