"""Print a Process: its state and the signal that killed it."""

import re
import time
from multiprocessing import Process


def state(process):
    return re.sub(r" (pid|parent)=\d+", "", repr(process))


if __name__ == "__main__":
    worker = Process(target=time.sleep, args=(60,), name="worker")
    print(state(worker))
    #> <Process name='worker' initial>
    worker.start()
    print(state(worker))
    #> <Process name='worker' started>
    worker.terminate()
    worker.join()
    print(state(worker))
    #> <Process name='worker' stopped exitcode=-SIGTERM>
