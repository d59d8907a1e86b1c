"""Keep every processor busy, to measure under load."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

#: Seconds in which a killed process dies.
_DYING = 10
# Ends when its stdin closes, so even if this process is killed.
_SPIN = """
import os, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0))).start()
while True:
    pass
"""


@contextmanager
def busy(wanted: bool = True) -> Iterator[None]:
    """Run one busy process per processor during the block, if that is wanted."""
    spinning: list[subprocess.Popen[bytes]] = []
    try:
        for _ in range((os.cpu_count() or 1) if wanted else 0):
            command = [sys.executable, "-c", _SPIN]
            spinning.append(
                # In a group of its own, because Ctrl-C is for this process only.
                subprocess.Popen(command, stdin=subprocess.PIPE, process_group=0)
            )
        yield
    finally:
        for process in spinning:
            process.kill()
            process.communicate(timeout=_DYING)
