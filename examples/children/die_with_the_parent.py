"""Die with the parent, under each start method: wait for its end."""

import os
import time
from multiprocessing import Pipe, Process, get_context, parent_process
from threading import Thread


def die_with_parent():
    parent_process().join()
    os._exit(1)


def work(pipe):
    Thread(target=die_with_parent, daemon=True).start()
    pipe.send("ready")
    time.sleep(60)


def keep(pipe, method):
    get_context(method).Process(target=work, args=(pipe,)).start()


if __name__ == "__main__":
    for method in ("fork", "spawn", "forkserver"):
        receiver, sender = Pipe(duplex=False)
        keeper = Process(target=keep, args=(sender, method))
        keeper.start()
        sender.close()  # Otherwise the pipe does not end.
        receiver.recv()
        keeper.kill()
        keeper.join()
        try:
            receiver.recv()
        except EOFError:
            print(f"{method}: the worker died, too")
            #> fork: the worker died, too
            #> spawn: the worker died, too
            #> forkserver: the worker died, too
