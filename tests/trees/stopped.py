"""Three children have stopped themselves, and ignore SIGTERM."""

import os
import signal

from grow import announce, child, ignore_sigterm


def stop() -> None:
    """Stop, and after SIGCONT again."""
    while True:
        os.kill(os.getpid(), signal.SIGSTOP)


ignore_sigterm()
for pid in [child(stop) for _ in range(3)]:
    os.waitpid(pid, os.WUNTRACED)
announce()
stop()
