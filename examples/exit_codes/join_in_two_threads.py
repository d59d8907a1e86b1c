"""Wait for a worker of the forkserver in two threads: exit code 255."""

# /// script
# dependencies = ["process-terminate"]
# ///
import time
from multiprocessing import get_context
from threading import Event, Thread

from process_terminate import stop


def terminate_and_join(worker):
    worker.terminate()
    worker.join()


def exit_code(end):
    context = get_context("forkserver")
    worker = context.Process(target=time.sleep, args=[60])
    worker.start()
    ready = Event()
    thread = Thread(target=lambda: (ready.set(), worker.join()))
    thread.start()
    ready.wait()
    end(worker)
    thread.join()
    return worker.exitcode


if __name__ == "__main__":
    codes = [exit_code(terminate_and_join) for _ in range(20)]
    print("terminate(), join(): 255 in one of 20:", 255 in codes)
    #> terminate(), join(): 255 in one of 20: True
    print("stop():", {exit_code(stop) for _ in range(20)})
    #> stop(): {-15}
