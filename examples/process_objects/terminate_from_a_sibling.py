"""Call terminate() from a process that is not the parent."""

import time
from multiprocessing import get_context

# Only fork hands a Process to a sibling.
fork = get_context("fork")


def work():
    time.sleep(60)


def interfere(worker, report):
    for method in (worker.is_alive, worker.join, worker.terminate):
        try:
            report.send(f"{method.__name__}() returned {method()}")
        except AssertionError as error:
            report.send(f"{method.__name__}() raised: {error}")


if __name__ == "__main__":
    receiver, sender = fork.Pipe(duplex=False)
    worker = fork.Process(target=work)
    worker.start()
    sibling = fork.Process(target=interfere, args=(worker, sender))
    sibling.start()
    for _ in range(3):
        print(receiver.recv())
        #> is_alive() raised: can only test a child process
        #> join() raised: can only join a child process
        #> terminate() returned None
    sibling.join()
    worker.join()
    print("the worker's exit code", worker.exitcode)
    #> the worker's exit code -15
