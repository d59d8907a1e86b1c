"""Print what keeps a program running: threads, queues, children."""

import multiprocessing
import threading


def show_what_keeps_running():
    for thread in threading.enumerate():
        if thread.name == "QueueFeederThread":
            print("queue, unless it is empty")
            #> queue, unless it is empty
        elif not (thread.daemon or thread is threading.main_thread()):
            print("thread:", thread.name)
            #> thread: reader
    for child in multiprocessing.active_children():
        print("child process:", child.name)
        #> child process: worker


if __name__ == "__main__":
    for_worker, worker_end = multiprocessing.Pipe()
    worker = multiprocessing.Process(
        target=worker_end.recv, name="worker"
    )
    worker.start()
    queue = multiprocessing.Queue()
    queue.put(bytes(1_000_000))
    stop_reading = threading.Event()
    reader = threading.Thread(target=stop_reading.wait, name="reader")
    reader.start()
    # The last line of the program: it should exit now, but does not.
    show_what_keeps_running()
    # Each of them stops once it gets what it waits for.
    stop_reading.set()
    for_worker.send("stop")
    queue.get()
