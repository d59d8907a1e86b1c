"""Set an Event in a signal handler: the waiting worker hangs."""

import signal
from multiprocessing import Event, Process


def work(event):
    signal.signal(signal.SIGTERM, lambda *args: event.set())
    event.wait()


if __name__ == "__main__":
    event = Event()
    worker = Process(target=work, args=(event,))
    worker.start()
    # Until the worker is counted among the sleepers of the event,
    event._cond._sleeping_count.acquire()
    event._cond._sleeping_count.release()
    with event._cond:  # and has released the event's lock.
        pass
    for _ in range(2):
        worker.terminate()
        worker.join(timeout=0.5)
        print("terminate(): exit code", worker.exitcode)
        #> terminate(): exit code None
        #> terminate(): exit code None
    worker.kill()
    worker.join()
    print("kill(): exit code", worker.exitcode)
    #> kill(): exit code -9
