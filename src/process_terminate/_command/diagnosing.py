"""`diagnose`: say why processes are still there."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import process_terminate
from process_terminate._command import targets
from process_terminate._command.statuses import show
from process_terminate._process.printable import printable

if TYPE_CHECKING:
    import argparse

    from process_terminate import Diagnosis, Finding


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
        show("\n\n".join(str(_shown(one)) for one in diagnoses))
    return status


def _shown(found: Diagnosis) -> Diagnosis:
    """Return a diagnosis for a terminal: names of processes and files are foreign."""
    return replace(
        found,
        command=printable(found.command),
        findings=tuple(map(_shown_finding, found.findings)),
        unseen=tuple(map(printable, found.unseen)),
        tree=tuple(map(_shown, found.tree)),
        stack="\n".join(map(printable, found.stack.split("\n"))),
    )


def _shown_finding(found: Finding) -> Finding:
    return replace(
        found,
        text=printable(found.text),
        facts=tuple(map(printable, found.facts)),
        do=printable(found.do),
    )
