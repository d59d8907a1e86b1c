"""The first thread of each process has exited, so that it looks like a zombie."""

import ctypes
import threading
import time
from pathlib import Path

from grow import announce, await_reports, child, ignore_sigterm, rest


def lose_leader() -> None:
    """Exit from this thread, and rest in another."""
    threading.Thread(target=rest_without_leader).start()
    ctypes.CDLL(None).pthread_exit(None)


def rest_without_leader() -> None:
    """Rest, as soon as the first thread has exited."""
    await_leader()
    rest()


def await_leader() -> None:
    """Wait until the first thread of this process has exited."""
    while "\nState:\tZ" not in Path("/proc/self/status").read_text("utf-8"):
        time.sleep(0.001)


def be_root() -> None:
    """Announce the tree without a leader, and rest."""
    await_leader()
    await_reports(2)
    announce()
    rest()


ignore_sigterm()
for _ in range(2):
    child(lose_leader)
threading.Thread(target=be_root).start()
ctypes.CDLL(None).pthread_exit(None)
