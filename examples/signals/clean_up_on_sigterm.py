"""Clean up on SIGTERM: finally, with, atexit and buffers."""

# /// script
# dependencies = ["process-terminate"]
# ///
import atexit
import tempfile
import time
from multiprocessing import get_context

from process_terminate import exit_on_sigterm

# Under fork and forkserver they run only in 3.13 and later.
spawn = get_context("spawn")


def work(path, report):
    atexit.register(report.send, "atexit ran")
    with exit_on_sigterm(), open(path, "w") as log:
        log.write("a result")  # Stays in the buffer until close().
        try:
            report.send("ready")
            while True:  # A signal just before a long sleep would wait.
                time.sleep(0.1)
        finally:
            report.send("finally ran")


if __name__ == "__main__":
    with tempfile.NamedTemporaryFile("r") as log:
        receiver, sender = spawn.Pipe(duplex=False)
        worker = spawn.Process(target=work, args=(log.name, sender))
        worker.start()
        receiver.recv()
        worker.terminate()
        print(receiver.recv(), "and", receiver.recv())
        #> finally ran and atexit ran
        worker.join()
        print("log", repr(log.read()), "exit code", worker.exitcode)
        #> log 'a result' exit code 143
