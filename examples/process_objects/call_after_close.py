"""Call terminate() on a process object that was closed."""

# /// script
# dependencies = ["process-terminate"]
# ///
from multiprocessing import Process

from process_terminate import terminate

if __name__ == "__main__":
    worker = Process(name="worker")
    worker.start()
    worker.join()
    worker.close()
    try:
        worker.terminate()
    except ValueError as error:
        print(error)
        #> process object is closed
    try:
        terminate(worker)
    except ValueError as error:
        print(error)
        #> process 'worker' is closed; call terminate() before close()
