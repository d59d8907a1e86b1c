"""Stop a worker gracefully: it cleans up, and has 10 s for that."""

# /// script
# dependencies = ["process-terminate"]
# ///
import time
from multiprocessing import Pipe, Process

from process_terminate import exit_on_sigterm, stop


@exit_on_sigterm()
def work(report):
    try:
        report.send("ready")
        # A signal just before a long sleep would wait.
        while True:
            time.sleep(0.1)
    finally:
        report.send("cleaned up")


if __name__ == "__main__":
    receiver, sender = Pipe(duplex=False)
    worker = Process(target=work, args=(sender,))
    worker.start()
    sender.close()  # Otherwise recv() hangs if the worker dies.
    print("the worker:", receiver.recv())
    #> the worker: ready
    status = stop(worker, grace=10)
    print("the worker:", receiver.recv())
    #> the worker: cleaned up
    print("exit code", status.code)
    #> exit code 143
