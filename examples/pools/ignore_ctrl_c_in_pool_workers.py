"""Let the workers of a Pool ignore Ctrl-C: no traceback."""

import os
import signal
import tempfile
from multiprocessing import Pipe, Pool, get_context


def work(pipe):
    pipe.send("ready")
    signal.pause()


def program(pipe):
    os.setsid()  # The Ctrl-C is for this program alone.
    errors = tempfile.TemporaryFile()
    os.dup2(errors.fileno(), 2)
    ignore = [signal.SIGINT, signal.SIG_IGN]
    try:
        with Pool(
            1, initializer=signal.signal, initargs=ignore
        ) as pool:
            pool.map(work, [pipe])
    except KeyboardInterrupt:
        errors.seek(0)
        pipe.send(errors.read())


if __name__ == "__main__":
    receiver, sender = Pipe(duplex=False)
    main = get_context("spawn").Process(target=program, args=(sender,))
    main.start()
    receiver.recv()
    os.killpg(main.pid, signal.SIGINT)
    # It came a moment too early.
    while not receiver.poll(3):
        os.kill(main.pid, signal.SIGINT)
    print("on stderr:", receiver.recv())
    #> on stderr: b''
    main.join()
