"""On SIGTERM, a child sends Ctrl-C to the sender, each millisecond; all ignore SIGTERM."""

import os
import signal
import time
from contextlib import suppress

from grow import child, report, rest, root_of

CHILDREN = 20
#: Enough for each step between SIGTERM and the last SIGKILL.
TIMES = 200


def interrupt() -> None:
    """Wait for SIGTERM, and interrupt its sender again and again."""
    report()
    sender = signal.sigwaitinfo({signal.SIGTERM}).si_pid
    with suppress(ProcessLookupError):
        for _ in range(TIMES):
            os.kill(sender, signal.SIGINT)
            time.sleep(0.001)
    rest()


signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
child(interrupt)
for _ in range(CHILDREN):
    child(rest)
root_of(CHILDREN + 1)
