"""What a command leaves running: found and stopped by `run`."""

from __future__ import annotations

import os
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


@contextmanager
def stopped_afterwards(grace: float, first: Signals) -> Iterator[None]:
    """Stop, after the block, all processes that descend from it.

    This process is child subreaper, so each orphan comes to it, whatever its user.
    It has no other children, except if a shell with background jobs has become this
    process, by exec. Only then a tag tells the descendants of the block apart; it
    cannot be read for another user's process.
    """
    own = os.getpid()
    with subreaper.adopting() as adopts:
        if not adopts:  # pragma: no cover  # A sandbox, or no ctypes.
            raise RuntimeError("it needs prctl(PR_SET_CHILD_SUBREAPER)")
        is_alone = table.children({own}) == set()
        before, tag = tags.read(0), None if is_alone else tags.fresh()
        if tag:
            tags.write(0, tag.value)
        try:
            yield
        finally:
            if tag and before is not None:
                tags.write(0, before)
            tree = Tree(tag)
            tree.sources, tree.is_alone = {own}, is_alone
            try:
                run(end_tree(tree, grace, first, frozenset()))
            finally:
                tree.reap()
                tree.close()
