"""Run a function with a time limit, in a process of its own."""

# /// script
# dependencies = ["process-terminate"]
# ///
import time
from multiprocessing import Pipe, Process

from process_terminate import stop


def send_result(sender, function, *args):
    sender.send(function(*args))


def call(function, *args, limit):
    receiver, sender = Pipe(duplex=False)
    worker = Process(target=send_result, args=(sender, function, *args))
    worker.start()
    sender.close()  # Or recv() hangs if the worker dies.
    try:
        if not receiver.poll(limit):
            raise TimeoutError(f"not done after {limit} s")
        result = receiver.recv()
        worker.join(1)  # It has answered, so let it exit.
        return result
    finally:
        stop(worker, grace=0.5)


if __name__ == "__main__":
    print(call(pow, 2, 10, limit=30))
    #> 1024
    try:
        call(time.sleep, 60, limit=1)
    except TimeoutError as error:
        print(error)
        #> not done after 1 s
