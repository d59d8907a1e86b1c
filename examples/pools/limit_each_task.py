"""Limit each task: a late one is stopped, the others continue."""

# /// script
# dependencies = ["process-terminate"]
# ///
import os
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context

from process_terminate import stop

spawn = get_context("spawn")  # Do not fork beside threads.


def run(sender, function, value):
    try:
        sender.send(function(value))
    except Exception as error:
        sender.send(error)


def attempt(function, value, limit):
    answer, sender = spawn.Pipe(duplex=False)
    worker = spawn.Process(target=run, args=(sender, function, value))
    worker.start()
    sender.close()  # Otherwise recv() hangs if the worker dies.
    try:
        return answer.recv() if answer.poll(limit) else TimeoutError()
    except Exception as error:  # EOFError: it died without an answer.
        return error
    finally:
        stop(worker, grace=0.5)


if __name__ == "__main__":
    tasks = (time.sleep, 60, 1), (os._exit, 1, 30), (abs, -1, 30)
    with ThreadPoolExecutor(max_workers=3) as threads:
        print(list(threads.map(attempt, *zip(*tasks))))
        #> [TimeoutError(), EOFError(), 1]
