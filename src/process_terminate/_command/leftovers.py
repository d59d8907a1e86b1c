"""What a command leaves running: found and stopped by `run`."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from process_terminate._process import table
from process_terminate._process.waits import run
from process_terminate._tree import subreaper, tags
from process_terminate._tree.ending import end_tree
from process_terminate._tree.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from signal import Signals

assert sys.platform == "linux"  # noqa: S101  # For the type checker.

#: The signals that end the grace period.
_HURRYING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _HurryError(BaseException):
    """Raised by the first signal that ends the grace period."""


class Leftovers:
    """The processes that a command leaves.

    Args:
        grace: Seconds between the first signal and `SIGKILL`.
        first: The first signal.
    """

    def __init__(self, grace: float, first: Signals) -> None:
        self._grace = grace
        self._first = first
        #: The signal that ended the grace period, if one did.
        self.hurried_by: int | None = None

    def stop(self, tree: Tree) -> None:
        """Stop them; kill them at once if a signal comes.

        The signals are blocked before and afterwards, so that none interrupts what is
        not prepared for it.
        """
        numbers = {n for n in _HURRYING if signal.getsignal(n) != signal.SIG_IGN}
        for number in numbers:
            signal.signal(number, self._hurry)

        def listen() -> None:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)

        try:
            try:
                run(end_tree(tree, self._grace, self._first, listen))
            finally:
                signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
        except _HurryError:
            # They are killed by now. If that failed, this raises the reason.
            run(end_tree(tree, 0, self._first))

    def _hurry(self, number: int, _: object) -> None:
        if self.hurried_by is None:
            self.hurried_by = number
            raise _HurryError


@contextmanager
def stopped_afterwards(grace: float, first: Signals) -> Iterator[Leftovers]:
    """Stop, after the block, all processes that descend from it.

    This process is child subreaper, so each orphan comes to it, whatever its user.
    It has no other children, except if a shell with background jobs has become this
    process, by exec. Only then a tag tells the descendants of the block apart; it
    cannot be read for another user's process.
    """
    own, leftovers = os.getpid(), Leftovers(grace, first)
    with subreaper.adopting() as adopts:
        if not adopts:  # pragma: no cover  # A sandbox, or no ctypes.
            raise RuntimeError("it needs prctl(PR_SET_CHILD_SUBREAPER)")
        is_alone = table.children({own}) == set()
        before, tag = tags.read(0), None if is_alone else tags.fresh()
        if tag:
            tags.write(0, tag.value)
        try:
            yield leftovers
        finally:
            if tag and before is not None:
                tags.write(0, before)
            tree = Tree(tag, sources={own})
            tree.is_alone = is_alone
            try:
                leftovers.stop(tree)
            finally:
                tree.reap()
                tree.close()
