"""Interrupt a Pool, as Ctrl-C does: map() raises, the worker dies."""

import os
import signal
import tempfile
from multiprocessing import Pipe, Pool, active_children, get_context


def work(pipe):
    pipe.send("ready")
    signal.pause()


def program(pipe):
    os.setsid()  # The Ctrl-C is for this program alone.
    errors = tempfile.TemporaryFile()
    os.dup2(errors.fileno(), 2)
    with Pool(1) as pool:
        (worker,) = active_children()
        try:
            pool.map(work, [pipe])
        except KeyboardInterrupt:
            pipe.send("map(): KeyboardInterrupt")
        worker.join()  # Let it write its traceback.
    pipe.send(os.pread(2, 9999, 0).count(b"Traceback"))


if __name__ == "__main__":
    receiver, sender = Pipe(duplex=False)
    main = get_context("spawn").Process(target=program, args=(sender,))
    main.start()
    receiver.recv()
    os.killpg(main.pid, signal.SIGINT)
    while not receiver.poll(3):  # It came a moment too early.
        os.kill(main.pid, signal.SIGINT)
    print(receiver.recv())
    #> map(): KeyboardInterrupt
    print("tracebacks of the worker:", receiver.recv())
    #> tracebacks of the worker: 1
    main.join()
