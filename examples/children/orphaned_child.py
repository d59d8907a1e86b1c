"""The child of a killed worker keeps running as an orphan."""

import os
from multiprocessing import Pipe, Process, get_context

# Under forkserver a child belongs to the forkserver from the beginning.
spawn = get_context("spawn")


def grandchild(pipe):
    pipe.send(os.getppid())
    pipe.recv()
    pipe.send(os.getppid())


def work(pipe):
    child = spawn.Process(target=grandchild, args=(pipe,))
    child.start()
    child.join()


def parents(end):
    ours, theirs = Pipe()
    worker = Process(target=work, args=(theirs,))
    worker.start()
    before = ours.recv() == worker.pid
    end(worker)
    worker.join()
    ours.send("who is your parent now?")
    after = ours.recv() == worker.pid
    return f"parent was the worker {before}, is the worker {after}"


if __name__ == "__main__":
    print("terminate():", parents(Process.terminate))
    #> terminate(): parent was the worker True, is the worker False
    print("kill():", parents(Process.kill))
    #> kill(): parent was the worker True, is the worker False
