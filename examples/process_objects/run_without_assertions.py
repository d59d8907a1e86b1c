"""Ask a sibling under python -O: a dead worker seems alive."""

import subprocess
import sys
import time
from multiprocessing import get_context
from multiprocessing.connection import wait

fork = get_context("fork")  # Only fork hands a Process to a sibling.


def ask(worker, report):
    worker.kill()
    wait([worker.sentinel])  # Until the worker is dead.
    try:
        report.send(f"is_alive() returned {worker.is_alive()}")
    except AssertionError as error:
        report.send(f"AssertionError: {error}")


def answer_of_a_sibling():
    receiver, sender = fork.Pipe(duplex=False)
    worker = fork.Process(target=time.sleep, args=(60,))
    worker.start()
    sibling = fork.Process(target=ask, args=(worker, sender))
    sibling.start()
    sibling.join()
    worker.join()
    return receiver.recv()


if __name__ == "__main__":
    if sys.flags.optimize:
        sys.exit(answer_of_a_sibling())
    print("python:", answer_of_a_sibling())
    #> python: AssertionError: can only test a child process
    command = [sys.executable, "-O", __file__]
    run = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    print("python -O:", run.stderr.strip())
    #> python -O: is_alive() returned True
