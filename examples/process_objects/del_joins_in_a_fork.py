"""Drop a forked copy of an object whose __del__ stops a worker."""

import os
import time
from multiprocessing import get_context

fork = get_context("fork")  # Only fork copies the object.


class Owner:
    """Stops its worker when the last reference to it is gone."""

    def __init__(self, worker, checks_pid):
        self.worker = worker
        self.pid = os.getpid() if checks_pid else None

    def __del__(self):
        if self.pid in (None, os.getpid()):
            self.worker.terminate()
            try:
                self.worker.join()
            except AssertionError as error:
                print("in __del__:", error)
                #> in __del__: can only join a child process


if __name__ == "__main__":
    for checks in (False, True):
        worker = fork.Process(target=time.sleep, args=(60,))
        worker.start()
        owners = [Owner(worker, checks)]
        copy = fork.Process(target=owners.clear)
        copy.start()
        copy.join()
        worker.join(timeout=0.5)
        print(f"checks pid {checks}: worker", worker.exitcode)
        #> checks pid False: worker -15
        #> checks pid True: worker None
        worker.terminate()
