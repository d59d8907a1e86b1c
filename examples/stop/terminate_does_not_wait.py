"""Show that a worker is alive when terminate() has returned."""

import signal
import sys
import time
from multiprocessing import Pipe, Process


def work(pipe):
    def clean_up(signum, frame):
        # This cleanup lasts until the parent says so.
        pipe.recv()
        sys.exit(0)

    signal.signal(signal.SIGTERM, clean_up)
    pipe.send("ready")
    # A signal just before a long sleep would wait.
    while True:
        time.sleep(0.1)


if __name__ == "__main__":
    ours, theirs = Pipe()
    worker = Process(target=work, args=(theirs,))
    worker.start()
    print("the worker is", ours.recv())
    #> the worker is ready
    worker.terminate()
    print("alive", worker.is_alive(), "exit code", worker.exitcode)
    #> alive True exit code None
    ours.send("finish your cleanup")
    worker.join()
    print("alive", worker.is_alive(), "exit code", worker.exitcode)
    #> alive False exit code 0
