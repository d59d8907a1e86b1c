"""Diagnose workers that a signal has killed."""

# /// script
# dependencies = ["process-terminate"]
# [tool.evidence]
# platforms = ["linux"]
# ///
import os
import signal
import time
from multiprocessing import Process
from textwrap import wrap

from process_terminate import diagnose

if __name__ == "__main__":
    for number in (signal.SIGSEGV, signal.SIGKILL):
        worker = Process(target=time.sleep, args=[60])
        worker.start()
        os.kill(worker.pid, number)
        worker.join()
        found = diagnose(worker).get("killed")
        for line in wrap(f"{found.name}: {found.text}", 56):
            print(line)
            #> killed: It was killed by SIGSEGV. It crashed.
            #> killed: It was killed by SIGKILL. The system does not
            #> record the sender. No trace of the OOM killer was found.
