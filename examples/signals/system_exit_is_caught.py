"""Catch the SystemExit of a SIGTERM handler by a bare except."""

# /// script
# dependencies = ["process-terminate"]
# ///
import time
from multiprocessing import Pipe, Process

from process_terminate import exit_on_sigterm


@exit_on_sigterm()
def work(pipe):
    try:
        pipe.send("ready")
        while True:  # A signal just before a long sleep would wait.
            time.sleep(0.1)
    except:  # noqa: E722
        pipe.send("an error, never mind")
    while True:
        time.sleep(0.1)


if __name__ == "__main__":
    receiver, sender = Pipe(duplex=False)
    worker = Process(target=work, args=(sender,))
    worker.start()
    print("the worker:", receiver.recv())
    #> the worker: ready
    worker.terminate()
    print("the worker:", receiver.recv())
    #> the worker: an error, never mind
    worker.terminate()
    worker.join(timeout=0.5)
    print("alive", worker.is_alive(), "exit code", worker.exitcode)
    #> alive True exit code None
    worker.kill()
    worker.join()
    print("alive", worker.is_alive(), "exit code", worker.exitcode)
    #> alive False exit code -9
