"""Terminate a worker that is already dead: nothing changes."""

import sys
from multiprocessing import Process

if __name__ == "__main__":
    worker = Process(target=sys.exit, args=(3,))
    worker.start()
    worker.join()
    print("exit code", worker.exitcode)
    #> exit code 3
    print("terminate() returns", worker.terminate())
    #> terminate() returns None
    print("kill() returns", worker.kill())
    #> kill() returns None
    print("exit code", worker.exitcode)
    #> exit code 3
