"""Read the exit codes of the workers that broke an executor."""

import os
import signal
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context


def keep(workers):
    # The executor starts each of its workers with this context.
    class Context(type(get_context())):
        def Process(self, *args, **options):
            worker = super().Process(*args, **options)
            workers.append(worker)
            return worker

    return Context()


def run(function, argument):
    workers = []
    with ProcessPoolExecutor(3, mp_context=keep(workers)) as executor:
        executor.map(time.sleep, [60, 60])
        task = executor.submit(function, argument)
    try:
        task.result()
    except BrokenProcessPool:
        return sorted(worker.exitcode for worker in workers)


if __name__ == "__main__":
    kill = signal.raise_signal
    print("the memory is full:", run(kill, signal.SIGKILL))
    #> the memory is full: [-15, -15, -9]
    print("a crash in C:", run(kill, signal.SIGSEGV))
    #> a crash in C: [-15, -15, -11]
    print("os._exit(1):", run(os._exit, 1))
    #> os._exit(1): [-15, -15, 1]
