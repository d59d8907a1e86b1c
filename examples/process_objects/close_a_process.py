"""Close process objects: each one holds two file descriptors."""

from multiprocessing import Process
from pathlib import Path


def work():
    pass


def descriptors():
    return len(list(Path("/dev/fd").iterdir()))


def run():
    worker = Process(target=work)
    worker.start()
    worker.join()
    return worker


if __name__ == "__main__":
    # Now the descriptors that all share are open.
    run().close()
    before = descriptors()
    workers = [run() for _ in range(10)]
    print("10 joined: +", descriptors() - before)
    #> 10 joined: + 20
    for worker in workers:
        worker.close()
    print("10 closed: +", descriptors() - before)
    #> 10 closed: + 0
    try:
        workers[0].is_alive()
    except ValueError as error:
        print(error)
        #> process object is closed
