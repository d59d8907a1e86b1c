"""End Python processes, and know how they ended."""

from process_terminate._exit_status import ExitStatus
from process_terminate._orphans import no_orphans
from process_terminate._process import kill, terminate
from process_terminate._sigterm import exit_on_sigterm
from process_terminate._stop import stop, stop_all
from process_terminate._tree import Ended, stop_tree

__all__ = [
    "Ended",
    "ExitStatus",
    "exit_on_sigterm",
    "kill",
    "no_orphans",
    "stop",
    "stop_all",
    "stop_tree",
    "terminate",
]
