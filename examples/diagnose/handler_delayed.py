"""Diagnose a worker whose handler waits for C code."""

# /// script
# dependencies = ["process-terminate"]
# [tool.evidence]
# platforms = ["linux"]
# ///
import hashlib
import signal
import time
from multiprocessing import Process
from textwrap import wrap

from process_terminate import diagnose


def work():
    signal.signal(signal.SIGTERM, lambda *args: None)
    # Minutes.
    hashlib.pbkdf2_hmac("sha256", b"", b"", 10**9)


def find(pid, name):
    for _ in range(1000):
        if found := diagnose(pid).get(name):
            return wrap(f"{name}: {found.text}", 56)
        time.sleep(0.01)
    return [f"not {name}: {diagnose(pid)}"]


if __name__ == "__main__":
    worker = Process(target=work)
    worker.start()
    for line in find(worker.pid, "handler-delayed"):
        print(line)
        #> handler-delayed: SIGTERM has a handler, and the main
        #> thread is computing: Python runs the handler when the
        #> current call into C code has returned.
    worker.kill()
    worker.join()
