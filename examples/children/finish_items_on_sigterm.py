"""Stop a service with SIGTERM: each worker finishes its item."""

import time
from multiprocessing import Pipe, Process
from signal import SIGTERM, signal

stopping = []


def work(ready):
    signal(SIGTERM, lambda *args: stopping.append(1))
    ready.send("ready")
    while not stopping:
        time.sleep(0.2)  # The work on one item.


def service(ready):
    signal(SIGTERM, lambda *args: stopping.append(1))
    workers = [Process(target=work, args=[ready]) for _ in range(2)]
    for worker in workers:
        worker.start()
    while not stopping:
        time.sleep(0.1)
    for worker in workers:
        worker.terminate()
    for worker in workers:
        worker.join()
    print("its workers: exit codes", *(w.exitcode for w in workers))
    #> its workers: exit codes 0 0


if __name__ == "__main__":
    receiver, sender = Pipe(duplex=False)
    process = Process(target=service, args=[sender])
    process.start()
    assert receiver.recv() == receiver.recv() == "ready"
    process.terminate()  # As systemd does with KillMode=mixed.
    process.join()
    print("the service: exit code", process.exitcode)
    #> the service: exit code 0
