"""Exit with -15 after a cleanup: send SIGTERM once more."""

# /// script
# dependencies = ["process-terminate"]
# ///
import os
import signal
import time
from multiprocessing import Pipe, Process

from process_terminate import exit_on_sigterm


def work(report):
    try:
        with exit_on_sigterm():
            report.send("ready")
            # A signal just before a long sleep would wait.
            while True:
                time.sleep(0.1)
    except SystemExit:
        report.send("cleaned up")
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    receiver, sender = Pipe(duplex=False)
    worker = Process(target=work, args=(sender,))
    worker.start()
    print("the worker:", receiver.recv())
    #> the worker: ready
    worker.terminate()
    print("the worker:", receiver.recv())
    #> the worker: cleaned up
    worker.join()
    print("exit code", worker.exitcode)
    #> exit code -15
