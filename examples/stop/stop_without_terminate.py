"""Stop workers without a signal: by an Event, a queue or a pipe."""

import time
from multiprocessing import Event, Pipe, Process, Queue


def poll(event):
    while not event.is_set():  # Rather than wait(): see the page.
        time.sleep(0.01)


def read(queue):
    for _ in iter(queue.get, None):
        pass


def receive(pipe):
    while pipe.recv() != "stop":
        pass


def start(target, *args):
    worker = Process(target=target, args=args)
    worker.start()
    return worker


if __name__ == "__main__":
    event, queue, (theirs, ours) = Event(), Queue(), Pipe(duplex=False)
    workers = [start(poll, event), start(read, queue)]
    workers += [start(receive, theirs)]
    event.set()
    queue.put(None)
    ours.send("stop")
    for worker in workers:
        worker.join()
        print("exit code", worker.exitcode)
        #> exit code 0
        #> exit code 0
        #> exit code 0
