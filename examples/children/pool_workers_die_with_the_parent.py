"""Pool workers die with their parent: an initializer watches it."""

import os
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from threading import Thread

fork = get_context("fork")


def exit_with_parent():
    parent_process().join()
    os._exit(1)


def watch_parent(ready):
    Thread(target=exit_with_parent, daemon=True).start()
    ready.send("ready")


def program(make, args, ready):
    pool = make(*args, initializer=watch_parent, initargs=[ready])
    pool.map(time.sleep, [60, 60])


if __name__ == "__main__":
    for make, *args in (fork.Pool, 2), (ProcessPoolExecutor, 2, fork):
        receiver, sender = fork.Pipe(duplex=False)
        case = make, args, sender
        process = fork.Process(target=program, args=case)
        process.start()
        sender.close()  # Otherwise the pipe does not end.
        ready = receiver.recv(), receiver.recv()
        process.kill()
        process.join()
        dead = receiver.poll(30)  # The end of the workers' pipe.
        print(f"{make.__name__}:", *ready, "- dead", dead)
        #> Pool: ready ready - dead True
        #> ProcessPoolExecutor: ready ready - dead True
