"""An executor whose worker was killed, and whose other worker ignores SIGTERM."""

import os
import signal
from concurrent.futures import ProcessPoolExecutor


def work(seconds: float) -> int:
    """Ignore SIGTERM, as a handler of a web server may do, and wait."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.sigtimedwait([], seconds)
    return os.getpid()


if __name__ == "__main__":
    with ProcessPoolExecutor(2) as executor:
        first = executor.submit(work, 1)
        executor.submit(work, 600)
        os.kill(first.result(), signal.SIGKILL)
