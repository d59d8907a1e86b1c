"""Stop workers without a signal; empty their queue before join()."""

import time
from multiprocessing import Event, Pipe, Process, Queue


def poll(event):
    while not event.is_set():  # Not wait(): see the page.
        time.sleep(0.01)


def read(get):
    for _ in iter(get, None):
        pass


def work(way, source, results):
    way(source)
    results.put(bytes(10**6))  # More than the pipe of a queue holds.


if __name__ == "__main__":
    event, tasks, results = Event(), Queue(), Queue()
    theirs, ours = Pipe(duplex=False)
    workers = []
    for way in (poll, event), (read, tasks.get), (read, theirs.recv):
        workers.append(Process(target=work, args=(*way, results)))
        workers[-1].start()
    event.set()
    tasks.put(None)
    ours.send(None)
    workers[0].join(timeout=0.5)
    print("joined too early: exit code", workers[0].exitcode)
    #> joined too early: exit code None
    for _ in workers:  # Each has put one result: take it, then join.
        results.get()
    for worker in workers:
        worker.join()
    print("exit codes:", *(worker.exitcode for worker in workers))
    #> exit codes: 0 0 0
