"""Diagnose a worker that ignores the signals of a terminal."""

# /// script
# dependencies = ["process-terminate"]
# [tool.evidence]
# platforms = ["linux"]
# ///
import signal
import time
from multiprocessing import Pipe, Process

from process_terminate import diagnose

NAMES = ("SIGINT", "SIGHUP", "SIGQUIT")


def work(ready):
    for name in NAMES:
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    ready.send("ready")
    time.sleep(60)


if __name__ == "__main__":
    receiver, sender = Pipe(duplex=False)
    worker = Process(target=work, args=[sender])
    worker.start()
    receiver.recv()

    for name in NAMES:
        found = diagnose(worker).get(f"{name.lower()}-ignored")
        print(found.text)
        #> SIGINT is ignored: Ctrl-C does nothing.
        #> SIGHUP is ignored: a closed terminal does nothing.
        #> SIGQUIT is ignored: Ctrl-\ does nothing.

    worker.kill()
    worker.join()
