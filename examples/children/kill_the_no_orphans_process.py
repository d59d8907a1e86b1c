"""Kill a process inside no_orphans(): its child keeps running."""

# /// script
# dependencies = ["process-terminate"]
# [tool.evidence]
# platforms = ["linux"]
# ///
from multiprocessing import Pipe, Process, get_context

from process_terminate import no_orphans

# Under forkserver the child would belong to the forkserver.
spawn = get_context("spawn")


def answer(pipe):
    pipe.send("ready")
    pipe.recv()
    pipe.send("I am alive")


def keep(pipe):
    with no_orphans():
        child = spawn.Process(target=answer, args=(pipe,))
        child.start()
        child.join()


if __name__ == "__main__":
    ours, theirs = Pipe()
    parent = Process(target=keep, args=(theirs,))
    parent.start()
    ours.recv()
    parent.kill()
    parent.join()
    print("its parent: exit code", parent.exitcode)
    #> its parent: exit code -9
    ours.send("are you there?")
    print("the child:", ours.recv())
    #> the child: I am alive
