"""Terminate the workers of an executor: one signal, no wait."""

# /// script
# requires-python = ">=3.14"
# ///
import signal
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import Pipe, active_children


def work(pipe, action):
    signal.signal(signal.SIGTERM, action)
    pipe.send("ready")
    signal.pause()


def begin(action):
    receiver, sender = Pipe(duplex=False)
    executor = ProcessPoolExecutor(max_workers=1)
    task = executor.submit(work, sender, action)
    receiver.recv()
    return executor, task


if __name__ == "__main__":
    executor, task = begin(signal.SIG_IGN)
    (worker,) = active_children()
    executor.terminate_workers()
    worker.join(timeout=0.5)
    print("terminate_workers(): alive", worker.is_alive())
    #> terminate_workers(): alive True
    executor.kill_workers()
    worker.join(timeout=0.5)
    print("kill_workers() afterwards: alive", worker.is_alive())
    #> kill_workers() afterwards: alive True
    worker.kill()
    executor, task = begin(signal.SIG_DFL)
    executor.terminate_workers()
    print("the default action:", type(task.exception()).__name__)
    #> the default action: BrokenProcessPool
