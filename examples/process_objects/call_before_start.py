"""Call terminate() on a process that was not started."""

# /// script
# dependencies = ["process-terminate"]
# ///
from multiprocessing import Process

from process_terminate import terminate

if __name__ == "__main__":
    worker = Process(name="worker")
    try:
        worker.terminate()
    except AttributeError as error:
        print(error)
        #> 'NoneType' object has no attribute 'terminate'
    try:
        terminate(worker)
    except ValueError as error:
        print(error)
        #> process 'worker' was not started; call start() first
