"""Escape from a process group: killpg() misses a new session."""

import os
import signal
import subprocess
from multiprocessing import Pipe, Process


def lead(pipe, new_session):
    os.setsid()
    child = subprocess.Popen(
        ["sleep", "60"],
        pass_fds=[pipe.fileno()],
        start_new_session=new_session,
    )
    pipe.send(child.pid)
    child.wait()


def survives(new_session, timeout):
    ours, theirs = Pipe()
    worker = Process(target=lead, args=(theirs, new_session))
    worker.start()
    theirs.close()  # Otherwise the pipe does not end.
    child = ours.recv()
    os.killpg(worker.pid, signal.SIGKILL)
    worker.join()
    # No end of file: it is alive.
    alive = not ours.poll(timeout)
    if alive:
        os.kill(child, signal.SIGKILL)
    return alive


if __name__ == "__main__":
    print("in the group: alive", survives(False, timeout=None))
    #> in the group: alive False
    print("in a new session: alive", survives(True, timeout=0.5))
    #> in a new session: alive True
