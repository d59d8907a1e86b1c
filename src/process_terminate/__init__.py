"""Stop Python processes, and learn how they exited."""

from process_terminate._diagnose.diagnosing import diagnose
from process_terminate._diagnose.findings import Diagnosis, Finding
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
    "Diagnosis",
    "ExitStatus",
    "Finding",
    "StoppedProcess",
    "diagnose",
    "exit_on_sigterm",
    "kill",
    "no_orphans",
    "stop",
    "stop_all",
    "stop_pool",
    "stop_tree",
    "terminate",
]
