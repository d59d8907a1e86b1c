"""Watch a parent under fork: a younger sibling hides its death."""

from multiprocessing import Pipe, get_context, parent_process

fork = get_context("fork")  # Only fork hands the parent's pipe down.


def watch(pipe):
    while (timeout := pipe.recv()) is not None:
        parent_process().join(timeout)
        pipe.send(not parent_process().is_alive())


def keep(pipe, sibling):
    fork.Process(target=watch, args=(pipe,)).start()
    fork.Process(target=sibling.recv).start()
    pipe.send("ready")


def ask(pipe, timeout):
    pipe.send(timeout)
    return pipe.recv()


if __name__ == "__main__":
    ours, theirs = Pipe()
    waiting, order = Pipe(duplex=False)
    keeper = fork.Process(target=keep, args=(theirs, waiting))
    keeper.start()
    ours.recv()
    print("at first: parent is dead", ask(ours, 0))
    #> at first: parent is dead False
    keeper.kill()
    keeper.join()
    print("it is killed: parent is dead", ask(ours, 0.5))
    #> it is killed: parent is dead False
    order.send("return")
    print("the sibling returned:", ask(ours, 30))
    #> the sibling returned: True
    ours.send(None)
