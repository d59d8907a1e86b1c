"""Pass a negative exit code on and get another number."""

import sys
from multiprocessing import Process


def exitcode_of(code):
    worker = Process(target=sys.exit, args=(code,))
    worker.start()
    worker.join()
    return worker.exitcode


if __name__ == "__main__":
    # An exit status has eight bits: -15 wraps around to 256 - 15.
    print("sys.exit(-15):", exitcode_of(-15))
    #> sys.exit(-15): 241
    print("sys.exit(256):", exitcode_of(256))
    #> sys.exit(256): 0
    # What a shell would show for a death by SIGTERM is 128 + 15.
    print("sys.exit(143):", exitcode_of(143))
    #> sys.exit(143): 143
