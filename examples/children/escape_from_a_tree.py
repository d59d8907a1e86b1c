"""A double fork escapes from stop_tree(), but not from no_orphans()."""

# /// script
# dependencies = ["process-terminate", "psutil"]
# [tool.evidence]
# platforms = ["linux"]
# ///
import subprocess
import time
from contextlib import nullcontext
from multiprocessing import Pipe, Process

import psutil

from process_terminate import no_orphans, stop, stop_tree

# A shell that starts a program in the background, and ends.
DAEMON = ["sh", "-c", "sleep 60 >&2 & echo $!"]


def work(report):
    pid = subprocess.check_output(DAEMON, start_new_session=True)
    report.send(int(pid))
    time.sleep(60)


if __name__ == "__main__":
    for block in (nullcontext, no_orphans):
        with block():
            receiver, sender = Pipe(duplex=False)
            worker = Process(target=work, args=(sender,))
            worker.start()
            daemon = psutil.Process(receiver.recv())
            stop_tree(worker)
        print(f"{block.__name__}: alive {daemon.is_running()}")
        #> nullcontext: alive True
        #> no_orphans: alive False
        stop(daemon)
