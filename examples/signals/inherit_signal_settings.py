"""Show which signal settings a worker inherits."""

import signal
from multiprocessing import Pipe, get_context


def report(sender):
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    sender.send(
        (
            callable(signal.getsignal(signal.SIGUSR1)),
            signal.getsignal(signal.SIGTERM) == signal.SIG_IGN,
            signal.SIGUSR2 in blocked,
        )
    )


def ask(method):
    receiver, sender = Pipe(duplex=False)
    worker = get_context(method).Process(target=report, args=(sender,))
    worker.start()
    worker.join()
    return "handler {}, ignored {}, blocked {}".format(*receiver.recv())


if __name__ == "__main__":
    ask("forkserver")  # The forkserver runs from now on.
    signal.signal(signal.SIGUSR1, lambda *args: None)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
    for method in ("fork", "spawn", "forkserver"):
        print(f"{method}: {ask(method)}")
        #> fork: handler True, ignored True, blocked True
        #> spawn: handler False, ignored True, blocked True
        #> forkserver: handler False, ignored False, blocked False
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR2])
    for number in (signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, signal.SIG_DFL)
