"""Compare terminate() and kill(): only one lets finally run."""

import signal
import sys
import time
from multiprocessing import Pipe, Process


def work(pipe):
    signal.signal(signal.SIGTERM, lambda *args: sys.exit(0))
    try:
        pipe.send("ready")
        # A signal just before a long sleep would wait.
        while True:
            time.sleep(0.1)
    finally:
        pipe.send("finally ran")


def last_words(end):
    ours, theirs = Pipe()
    worker = Process(target=work, args=(theirs,))
    worker.start()
    # Or recv() hangs when the worker is dead.
    theirs.close()
    ours.recv()
    end(worker)
    worker.join()
    try:
        return ours.recv(), worker.exitcode
    except EOFError:
        return "nothing", worker.exitcode


if __name__ == "__main__":
    print("terminate():", *last_words(Process.terminate))
    #> terminate(): finally ran 0
    print("kill():", *last_words(Process.kill))
    #> kill(): nothing -9
