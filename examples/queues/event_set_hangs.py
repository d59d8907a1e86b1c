"""Terminate a worker that waits for an Event: set() then hangs."""

from multiprocessing import Event, Pipe, Process


def wait(event):
    event.wait()


def announce(event, report):
    report.send("set() called")
    event.set()
    report.send("set() returned")


if __name__ == "__main__":
    event = Event()
    waiter = Process(target=wait, args=(event,))
    waiter.start()
    # Until the waiter is counted among the sleepers of the event,
    event._cond._sleeping_count.acquire()
    event._cond._sleeping_count.release()
    with event._cond:  # and has released the event's lock.
        pass
    waiter.terminate()
    waiter.join()

    # In a process of its own, because what hangs must be killed.
    receiver, sender = Pipe(duplex=False)
    setter = Process(target=announce, args=(event, sender))
    setter.start()
    print(receiver.recv())
    #> set() called
    print("returned within 2 seconds:", receiver.poll(2))
    #> returned within 2 seconds: False
    setter.kill()
    setter.join()
