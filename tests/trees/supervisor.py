"""A supervisor ignores SIGTERM and restarts each of its four workers."""

import os
import signal

from grow import announce, await_reports, child, ignore_sigterm, rest


def work() -> None:
    """Rest until SIGTERM."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    rest()


ignore_sigterm()
for _ in range(4):
    child(work)
await_reports(4)
announce()
while True:
    os.wait()
    child(work)
