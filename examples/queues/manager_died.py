"""Kill the server of a Manager: three errors, one for each call."""

import os
import signal
from multiprocessing import active_children
from multiprocessing.managers import SyncManager


def die():
    os.kill(os.getpid(), signal.SIGKILL)


SyncManager.register("die", die)  # The server calls it.


def attempt(call, *args):
    try:
        return call(*args)
    except (EOFError, OSError) as error:
        return type(error).__name__


if __name__ == "__main__":
    manager = SyncManager()
    manager.start()
    (server,) = active_children()
    shared = manager.dict(key="value")
    print("a call:", attempt(shared.get, "key"))
    #> a call: value
    print("the call in which it dies:", attempt(manager.die))
    #> the call in which it dies: EOFError
    server.join()
    print("the server: exit code", server.exitcode)
    #> the server: exit code -9
    print("the same object again:", attempt(shared.get, "key"))
    #> the same object again: BrokenPipeError
    print("a new object:", attempt(manager.dict))
    #> a new object: ConnectionRefusedError
