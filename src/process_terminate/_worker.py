"""The plain case of `stop`: a worker that does as it is told, which is what most do.

It is all in one function, because under fork the parent shares its memory with the
worker, and each page that it uses before the worker is dead is copied first. The
many functions of `stop_all()`, which can do more, use twice as many pages.
"""

import os
import select
import signal
import sys
from math import ceil, inf
from multiprocessing import forkserver
from multiprocessing.process import BaseProcess
from typing import Any

from process_terminate import _handle
from process_terminate._exit_status import ExitStatus

#: It knows its own pid, and tells nobody.
_forkserver: Any = forkserver._forkserver
#: Seconds in which a forkserver has noted how a worker ended.
_NOTE_WAIT = 1.0


def stop_worker(process: object, grace: float) -> ExitStatus | float:
    """End a worker by SIGTERM: how it ended, or the grace period that is left.

    Left as it is for what is not a worker of this process, not alive, or not on
    Linux; and for what is an error, which `stop_all()` explains.
    """
    worker: Any = process
    if (
        sys.platform != "linux"
        or not isinstance(process, BaseProcess)
        or type(grace) not in (float, int)
        or not 0 < grace < inf
        or worker._popen is None
        or worker._parent_pid != os.getpid()
    ):
        return grace
    try:
        by_forkserver = worker._popen.method == "forkserver"
        held = os.pidfd_open(worker._popen.pid)
    except (AttributeError, OSError):  # Another Python, an old kernel, no process.
        return grace
    try:
        # Alive, and a child of this process or of its forkserver: the one meant.
        if worker.exitcode is not None or not (
            _handle.parent_of(held) == _forkserver._forkserver_pid
            if by_forkserver
            else os.waitid(os.P_PIDFD, held, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            is None
        ):
            return grace
        signal.pidfd_send_signal(held, signal.SIGTERM)
        signal.pidfd_send_signal(held, signal.SIGCONT)
        poll = select.poll()
        poll.register(held, select.POLLIN)
        rest = grace
        while not poll.poll(ceil(min(rest, _handle.STEP) * 1000)):
            rest -= _handle.STEP
            if rest <= 0:
                return 0
    except OSError:  # Not a child, or not to be signalled.
        return grace
    finally:
        os.close(held)
    worker.join(_NOTE_WAIT if by_forkserver else None)
    return grace if worker.exitcode is None else ExitStatus(worker.exitcode)
