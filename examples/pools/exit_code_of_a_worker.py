"""Read the exit codes of the workers that broke an executor."""

import os
import signal
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children


def die(number):
    os.kill(os.getpid(), number)


def run(function, argument):
    with ProcessPoolExecutor(max_workers=1) as executor:
        # It starts the worker.
        executor.submit(abs, -1).result()
        workers = active_children()
        task = executor.submit(function, argument)
    try:
        task.result()
    except BrokenProcessPool:
        return [worker.exitcode for worker in workers]


if __name__ == "__main__":
    print("the memory is full:", run(die, signal.SIGKILL))
    #> the memory is full: [-9]
    print("the same task again:", run(die, signal.SIGKILL))
    #> the same task again: [-9]
    print("a crash in C:", run(die, signal.SIGSEGV))
    #> a crash in C: [-11]
    print("os._exit(1):", run(os._exit, 1))
    #> os._exit(1): [1]
