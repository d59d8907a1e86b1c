"""Terminate a worker that is already dead: nothing changes."""

import sys
from multiprocessing import Process
from multiprocessing.connection import wait

if __name__ == "__main__":
    worker = Process(target=sys.exit, args=(3,))
    worker.start()
    # Until it is dead, but not yet joined.
    wait([worker.sentinel])
    print("terminate() returns", worker.terminate())
    #> terminate() returns None
    worker.join()
    print("exit code", worker.exitcode)
    #> exit code 3
    worker.terminate()
    worker.kill()
    print("exit code", worker.exitcode)
    #> exit code 3
