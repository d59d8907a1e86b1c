"""A daemonic child outlives a parent that was killed."""

from multiprocessing import Pipe, Process


def answer(pipe):
    pipe.send("ready")
    pipe.recv()
    pipe.send("lives")


def keep(pipe, order):
    Process(target=answer, args=(pipe,), daemon=True).start()
    order.recv()


def child_after(end):
    ours, theirs = Pipe()
    waiting, order = Pipe(duplex=False)
    keeper = Process(target=keep, args=(theirs, waiting))
    keeper.start()
    theirs.close()  # Otherwise the pipe does not end.
    ours.recv()
    end(keeper) if end else order.send("return")
    keeper.join()
    try:
        ours.send("are you there?")
        return ours.recv()
    except (EOFError, OSError):
        return "is dead"


if __name__ == "__main__":
    print("its parent returned: the child", child_after(None))
    #> its parent returned: the child is dead
    print("its parent was terminated:", child_after(Process.terminate))
    #> its parent was terminated: lives
    print("its parent was killed:", child_after(Process.kill))
    #> its parent was killed: lives
