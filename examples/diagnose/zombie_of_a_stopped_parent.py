"""Diagnose a zombie whose parent is stopped."""

# /// script
# dependencies = ["process-terminate"]
# [tool.evidence]
# platforms = ["linux"]
# ///
import os
import signal
import subprocess
from multiprocessing import Pipe, Process
from textwrap import wrap

from process_terminate import diagnose


def work(pipe):
    command = subprocess.Popen(["true"])
    pipe.send(command.pid)
    os.kill(os.getpid(), signal.SIGSTOP)


def find(pid):
    for _ in range(10_000):
        found = diagnose(pid).get("zombie")
        if found and "is stopped" in found.text:
            return wrap(f"{found.name}: {found.text}", 56)
    return [str(diagnose(pid))]


if __name__ == "__main__":
    receiver, sender = Pipe(duplex=False)
    parent = Process(target=work, args=[sender])
    parent.start()
    for line in find(receiver.recv()):
        print(line)
        #> zombie: It is dead, but its parent is stopped, so it
        #> cannot reap it.
    parent.kill()
    parent.join()
