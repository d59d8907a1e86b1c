"""Pass on the exit code of a terminated worker, and get 241."""

import sys
import time
from multiprocessing import Process


def work():
    time.sleep(60)


def exitcode_of(target, *args):
    process = Process(target=target, args=args)
    process.start()
    if target is work:
        process.terminate()
    process.join()
    return process.exitcode


if __name__ == "__main__":
    code = exitcode_of(work)
    print("the worker:", code)
    #> the worker: -15
    # An exit status has eight bits: -15 wraps around to 256 - 15.
    print("passed on by sys.exit(code):", exitcode_of(sys.exit, code))
    #> passed on by sys.exit(code): 241
    # A shell reports SIGTERM as 128 + 15.
    print("by sys.exit(128 - code):", exitcode_of(sys.exit, 128 - code))
    #> by sys.exit(128 - code): 143
