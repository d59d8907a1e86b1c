"""Signal a process by name: os.kill() takes only a number."""

import os
import time
from multiprocessing import Process
from signal import Signals

if __name__ == "__main__":
    worker = Process(target=time.sleep, args=(60,))
    worker.start()
    try:
        os.kill(worker.pid, "SIGTERM")
    except TypeError as error:
        print(error)
        #> 'str' object cannot be interpreted as an integer
    os.kill(worker.pid, Signals["SIGTERM"])
    worker.join()
    print("exit code", worker.exitcode)
    #> exit code -15
