"""End Python processes, and know how they ended."""

from process_terminate._exit_on_sigterm import exit_on_sigterm
from process_terminate._exit_status import ExitStatus
from process_terminate._no_orphans import no_orphans
from process_terminate._process.adapters import AnyProcess
from process_terminate._stop import stop, stop_all
from process_terminate._stop_pool import stop_pool
from process_terminate._stop_tree import StoppedProcess, stop_tree
from process_terminate._terminate import kill, terminate

__all__ = [
    "AnyProcess",
    "ExitStatus",
    "StoppedProcess",
    "exit_on_sigterm",
    "kill",
    "no_orphans",
    "stop",
    "stop_all",
    "stop_pool",
    "stop_tree",
    "terminate",
]
