"""`diagnose`: say why processes are still there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import process_terminate
from process_terminate._command import targets
from process_terminate._command.statuses import show

if TYPE_CHECKING:
    import argparse


def diagnose(parsed: argparse.Namespace) -> int:
    """Diagnose the processes of a command line; return the exit status."""
    found, status = targets.find(parsed)
    diagnoses = [
        process_terminate.diagnose(process, tree=parsed.tree, py_spy=parsed.python)
        for process in found
    ]
    if parsed.json:
        show(json.dumps([one.as_dict() for one in diagnoses], indent=2))
    elif diagnoses:
        show("\n\n".join(map(str, diagnoses)))
    return status
