"""A process of a tree, and what was sent to it."""

import os
import sys
from dataclasses import dataclass
from functools import cached_property

from process_terminate._process import table
from process_terminate._process.handle import SIGSTOP, Handle
from process_terminate._process.table import Entry


@dataclass
class Member:
    """A process of the tree, and what was sent to it."""

    entry: Entry
    handle: Handle
    signal: int | None = None
    suspended: bool = False
    #: Whether it has been seen asleep, so that it was not in the middle of a fork.
    has_slept: bool = False
    exit_code: int | None = None

    @cached_property
    def is_tracker(self) -> bool:
        """Whether it is a resource tracker, which has to end after all others."""
        return table.is_resource_tracker(self.entry.pid)

    @cached_property
    def traces_us(self) -> bool:
        """Whether it is a debugger of this process, which would be stopped with it."""
        return _tracer() == self.entry.pid

    @property
    def is_still(self) -> bool:
        """Whether it can start no process: it is stopped, dead, or in the kernel."""
        if self.handle.forbidden or self.is_tracker or self.traces_us:
            return True
        # Windows suspends at once, and does not always show it.
        at_once = sys.platform == "win32"
        return self.suspended and (at_once or self.entry.state in "TtZXD")

    def note_sleep(self) -> bool:
        """Note whether it sleeps, and return whether it ever did."""
        self.has_slept |= self.entry.state not in "RD"
        return self.has_slept

    def send(self, number: int) -> None:
        """Send a signal that should stop it."""
        self.handle.send(number)
        if not self.handle.forbidden:
            self.signal = number

    def suspend(self) -> None:
        """Stop it, so that it starts no process."""
        if not (self.suspended or self.is_tracker or self.traces_us):
            self.handle.send(SIGSTOP)
            self.suspended = not self.handle.forbidden


def _tracer() -> int:
    """Return the pid of the debugger of this process; 0 if there is none."""
    return int(table.status_field(os.getpid(), b"TracerPid:") or 0)
