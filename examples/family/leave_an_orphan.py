"""Leave an orphan: the child of an ended worker lives on."""

import os
from multiprocessing import Pipe, Process


def grandchild(pipe):
    pipe.send("ready")
    pipe.recv()
    pipe.send(os.getppid())


def work(pipe):
    child = Process(target=grandchild, args=(pipe,))
    child.start()
    child.join()


def parent_after(end):
    ours, theirs = Pipe()
    worker = Process(target=work, args=(theirs,))
    worker.start()
    ours.recv()
    end(worker)
    worker.join()
    ours.send("who is your parent?")
    parent = "the worker" if ours.recv() == worker.pid else "another"
    return f"worker {worker.exitcode}, child alive, parent: {parent}"


if __name__ == "__main__":
    print("terminate():", parent_after(Process.terminate))
    #> terminate(): worker -15, child alive, parent: another
    print("kill():", parent_after(Process.kill))
    #> kill(): worker -9, child alive, parent: another
