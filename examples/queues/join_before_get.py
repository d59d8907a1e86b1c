"""Join a worker whose items are still in its queue: a deadlock."""

from multiprocessing import Event, Process, Queue


def work(queue, done):
    queue.put(bytes(10**7))  # More than a pipe holds.
    done.set()


if __name__ == "__main__":
    queue, done = Queue(), Event()
    worker = Process(target=work, args=(queue, done))
    worker.start()
    done.wait()
    # Without a timeout it waits forever.
    worker.join(timeout=0.5)
    print("joined before get(): exit code", worker.exitcode)
    #> joined before get(): exit code None
    print("got", len(queue.get()), "bytes")
    #> got 10000000 bytes
    worker.join()
    print("joined after get(): exit code", worker.exitcode)
    #> joined after get(): exit code 0
