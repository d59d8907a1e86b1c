"""Kill a worker and its children through their process group."""

import os
import signal
import subprocess
from multiprocessing import Pipe, Process


def member(pipe):
    pipe.recv()


def leader(pipe):
    os.setsid()
    child = subprocess.Popen(["sleep", "60"], pass_fds=[pipe.fileno()])
    pipe.send("ready")
    child.wait()


if __name__ == "__main__":
    ours, theirs = Pipe()
    worker = Process(target=member, args=(theirs,))
    worker.start()
    print("in my group:", os.getpgid(worker.pid) == os.getpgrp())
    #> in my group: True
    ours.send("return")
    worker.join()
    worker = Process(target=leader, args=(theirs,))
    worker.start()
    theirs.close()  # Otherwise the pipe does not end.
    ours.recv()
    os.killpg(worker.pid, signal.SIGTERM)
    worker.join()
    print("the leader of a group: exit code", worker.exitcode)
    #> the leader of a group: exit code -15
    try:
        ours.recv()
    except (EOFError, OSError):
        print("its child is dead, too")
        #> its child is dead, too
