"""Print the threads and children that keep a program running."""

import multiprocessing
import threading


def show_what_keeps_running():
    for thread in threading.enumerate():
        if thread is not threading.main_thread() and not thread.daemon:
            print("thread:", thread.name)
            #> thread: reader
    for child in multiprocessing.active_children():
        print("child process:", child.name)
        #> child process: worker


def wait(connection):
    connection.recv()


if __name__ == "__main__":
    for_worker, worker_end = multiprocessing.Pipe()
    worker = multiprocessing.Process(
        target=wait, args=(worker_end,), name="worker"
    )
    worker.start()
    stop_reading = threading.Event()
    reader = threading.Thread(target=stop_reading.wait, name="reader")
    reader.start()
    # The last line of the program: it should exit now, but does not.
    show_what_keeps_running()
    # Each of them stops once it gets what it waits for.
    stop_reading.set()
    for_worker.send("stop")
