"""Inherit the SIGTERM handler of the parent, under fork only."""

# /// script
# dependencies = ["process-terminate"]
# ///
import signal
import time
from multiprocessing import Pipe, get_context

from process_terminate import exit_on_sigterm, stop


def work(ready):
    ready.send("ready")
    while True:  # A signal just before a long sleep would wait.
        time.sleep(0.1)


def exitcode_of(method, timeout=None):
    receiver, sender = Pipe(duplex=False)
    worker = get_context(method).Process(target=work, args=(sender,))
    worker.start()
    receiver.recv()
    worker.terminate()
    worker.join(timeout)
    exitcode = worker.exitcode
    stop(worker, grace=0)
    return exitcode


if __name__ == "__main__":
    old = signal.signal(signal.SIGTERM, lambda *args: None)
    print("fork: exit code", exitcode_of("fork", timeout=0.5))
    #> fork: exit code None
    print("spawn: exit code", exitcode_of("spawn"))
    #> spawn: exit code -15
    signal.signal(signal.SIGTERM, old)
    with exit_on_sigterm():
        print("fork in exit_on_sigterm():", exitcode_of("fork"))
        #> fork in exit_on_sigterm(): 143
