"""Diagnose a worker that waits for a signal."""

# /// script
# dependencies = ["process-terminate"]
# [tool.evidence]
# platforms = ["linux"]
# ///
import signal
import time
from multiprocessing import Process
from textwrap import wrap

from process_terminate import diagnose


def find(pid, name):
    for _ in range(1000):
        if found := diagnose(pid).get(name):
            return wrap(f"{name}: {found.text}", 56) + list(found.facts)
        time.sleep(0.01)
    return [f"not {name}: {diagnose(pid)}"]


if __name__ == "__main__":
    worker = Process(target=signal.sigwait, args=[[signal.SIGUSR1]])
    worker.start()
    for line in find(worker.pid, "waits-for-a-signal"):
        print(line)
        #> waits-for-a-signal: It waits for a signal, as in
        #> signal.pause(), sigwait() or the wait of a shell.
        #> rt_sigtimedwait: SIGUSR1

    worker.terminate()
    worker.join()
    print(worker.exitcode)
    #> -15
