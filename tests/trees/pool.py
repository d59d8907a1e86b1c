"""A program that ignores SIGTERM has a Pool, which replaces its dead workers."""

import multiprocessing
import signal

from grow import ignore_sigterm, report, root_of


def begin() -> None:
    """Be a worker that SIGTERM terminates."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    report()


ignore_sigterm()
pool = multiprocessing.get_context("fork").Pool(4, begin)
root_of(4)
