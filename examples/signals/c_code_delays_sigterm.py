"""Delay the handler of SIGTERM by a long call into C."""

# /// script
# dependencies = ["process-terminate", "psutil"]
# ///
import hashlib
from contextlib import nullcontext
from multiprocessing import Pipe, Process

import psutil

from process_terminate import exit_on_sigterm, stop


def compute(block, ready):
    with block():
        ready.send("ready")
        hashlib.pbkdf2_hmac("sha256", b"", b"", 10**9)  # Minutes.


def terminate_inside(block, timeout):
    receiver, sender = Pipe(duplex=False)
    worker = Process(target=compute, args=(block, sender))
    worker.start()
    receiver.recv()
    cpu_times = psutil.Process(worker.pid).cpu_times
    began = cpu_times().user
    while cpu_times().user < began + 0.1:  # Until it is in C.
        worker.join(0.01)
    worker.terminate()
    worker.join(timeout)
    print(f"{block.__name__}: alive {worker.is_alive()}")
    #> nullcontext: alive False
    #> exit_on_sigterm: alive True
    stop(worker, grace=0)


if __name__ == "__main__":
    terminate_inside(nullcontext, timeout=None)
    terminate_inside(exit_on_sigterm, timeout=0.5)
