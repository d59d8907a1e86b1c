"""Diagnose a worker that a debugger holds."""

# /// script
# dependencies = ["process-terminate"]
# [tool.evidence]
# platforms = ["linux"]
# ///
import ctypes
import os
import signal
import time
from multiprocessing import get_context
from textwrap import wrap

from process_terminate import diagnose


def work():
    ctypes.CDLL(None).ptrace(0)  # PTRACE_TRACEME
    os.kill(os.getpid(), signal.SIGINT)


if __name__ == "__main__":
    worker = get_context("fork").Process(target=work)
    worker.start()
    # The parent is the debugger: it decides about the signal.
    while diagnose(worker).state != "traced":
        time.sleep(0.01)
    found = diagnose(worker).get("traced")
    for line in wrap(f"{found.name}: {found.text}", 56):
        print(line)
        #> traced: It is stopped by a debugger or tracer, the
        #> calling process, which decides whether a signal reaches
        #> it.
    worker.kill()
    worker.join()
