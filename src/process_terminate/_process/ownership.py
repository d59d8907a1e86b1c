"""Which children of this process have an object that has to reap them.

A child that is reaped elsewhere is alive forever for `multiprocessing`, successful
for `subprocess`, and an error for others. But orphans that have come to this process
must be reaped here. The system does not tell the two apart, so this module notes the
children that are started while a block of `no_orphans()` is active.
"""

import os
import subprocess
import sys
import weakref
from contextlib import suppress
from typing import Any

from process_terminate._process import stdlib


class Children:
    """The children that this process starts from now on."""

    def __init__(self) -> None:
        self._popens: list[tuple[weakref.ref[subprocess.Popen[Any]], bool]] = []
        self._forked: set[int] = set()

    def note_popen(self, popen: "subprocess.Popen[Any]", by_asyncio: bool) -> None:
        """Note an object of `subprocess`."""
        self._popens.append((weakref.ref(popen), by_asyncio))

    def note_fork(self) -> None:
        """Note the child that this thread has just forked: it is the newest."""
        with suppress(OSError, IndexError), open("/proc/thread-self/children") as file:  # noqa: PTH123, as it is faster
            self._forked.add(int(file.read().split()[-1]))

    def pids(self) -> set[int]:
        """Return the pids of all that are noted."""
        popens = (reference() for reference, _ in self._popens)
        return self._forked | {
            popen.pid
            for popen in popens
            if popen is not None and getattr(popen, "pid", None)
        }

    def reap(self) -> None:
        """Let the objects reap their children that are dead.

        What an event loop has started is left to it, what was forked to the caller.
        """
        stdlib.reap_children_of_multiprocessing()
        for reference, by_asyncio in self._popens:
            popen = reference()
            if popen is not None and not by_asyncio and hasattr(popen, "pid"):
                stdlib.reap_popen(popen, None)
        stdlib.reap_dropped_popens()


#: Those that note, from the outermost block to the innermost.
_noting: list[Children] = []
_init: Any = subprocess.Popen.__init__


def start() -> Children:
    """Note the children of this process from now on."""
    global _init  # noqa: PLW0603
    children = Children()
    if subprocess.Popen.__init__ is not _noting_init:
        _init = subprocess.Popen.__init__
        subprocess.Popen.__init__ = _noting_init  # type: ignore[method-assign]
    _noting.append(children)
    return children


def finish(children: Children) -> None:
    """Note no more."""
    _noting.remove(children)
    if not _noting and subprocess.Popen.__init__ is _noting_init:
        subprocess.Popen.__init__ = _init  # type: ignore[method-assign]


def _noting_init(self: Any, *args: Any, **options: Any) -> None:
    by_asyncio = stdlib.is_made_by_asyncio(sys._getframe(1))
    for children in _noting:
        children.note_popen(self, by_asyncio)
    _init(self, *args, **options)


def _note_fork() -> None:
    for children in _noting:
        children.note_fork()


if hasattr(os, "register_at_fork"):  # pragma: no branch
    os.register_at_fork(after_in_parent=_note_fork, after_in_child=_noting.clear)
