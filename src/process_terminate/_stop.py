"""`stop` and `stop_all`."""

import signal as signals
from collections.abc import Iterable

from process_terminate._adapters import Adapter, AnyProcess, _Psutil, adapt
from process_terminate._ending import checked_grace, checked_signal, end_all
from process_terminate._exit_status import ExitStatus
from process_terminate._waits import Steps, run


def stop(
    process: AnyProcess, *, grace: float = 5.0, signal: int = signals.SIGTERM
) -> ExitStatus:
    """DOC-stop."""
    return stop_all([process], grace=grace, signal=signal)[0]


def stop_all(
    processes: Iterable[AnyProcess],
    *,
    grace: float = 5.0,
    signal: int = signals.SIGTERM,
) -> list[ExitStatus]:
    """DOC-stop_all."""
    return run(stopping(processes, grace, signal))


def stopping(
    processes: Iterable[object], grace: float, signal: int, *, loop: bool = False
) -> Steps[list[ExitStatus]]:
    """Take the steps of `stop_all()`."""
    seconds, first = checked_grace(grace), checked_signal(signal)
    targets = [adapt(process, "stop", loop=loop) for process in processes]
    try:
        handles = [handle for target in targets if (handle := target.find())]
        try:
            yield from end_all(handles, seconds, first)
        finally:
            found = yield from statuses(targets)
    finally:
        for target in targets:
            target.close()
    return found


def statuses(targets: list[Adapter]) -> Steps[list[ExitStatus]]:
    """Return how each ended; psutil comes last, as it would reap for others."""
    found = {}
    for target in sorted(targets, key=lambda target: isinstance(target, _Psutil)):
        found[id(target)] = yield from target.status()
    return [found[id(target)] for target in targets]
