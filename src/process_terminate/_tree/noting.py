"""The children that a program starts in a block, and which of them others reap.

A child that is reaped elsewhere is alive forever for `multiprocessing`, successful
for `subprocess`, and an error for others. But orphans that have come to this process
must be reaped here. The system does not tell the two apart, so this module notes the
children that are started while a block of `no_orphans()` is active.
"""

import asyncio
import os
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from typing import Any, TypeAlias

from process_terminate._process import stdlib
from process_terminate._process.ownership import popen_classes
from process_terminate._tree import forks

_Loop: TypeAlias = "weakref.ref[asyncio.AbstractEventLoop] | None"
#: How many children are noted before those that are gone are forgotten.
_MANY = 1000


class Children:
    """The children that this process starts from now on."""

    def __init__(self) -> None:
        self._popens: list[tuple[weakref.ref[subprocess.Popen[Any]], _Loop]] = []
        self._forked: set[int] = set()
        #: Those of them that uvloop has forked, which reaps them a little later.
        self._of_uvloop: set[int] = set()
        self._many = _MANY
        self._forgetting = threading.Lock()

    def note_popen(self, popen: "subprocess.Popen[Any]", loop: "_Loop") -> None:
        """Note an object of `subprocess`, and the event loop that creates it."""
        self._popens.append((weakref.ref(popen), loop))
        self._forget()

    def note_child(self, pid: int) -> None:
        """Note a child that its caller has to reap."""
        self._forked.add(pid)
        if type(asyncio._get_running_loop()).__module__.startswith("uvloop"):
            self._of_uvloop.add(pid)
        self._forget()

    def _forget(self) -> None:
        """Forget now and then what is gone, as a block may last for months.

        Meanwhile another thread, or a handler of a signal, may note one more.
        """
        if len(self._popens) + len(self._forked) < self._many:
            return
        if not self._forgetting.acquire(blocking=False):
            return
        try:
            count = len(self._popens)
            left = [noted for noted in self._popens[:count] if noted[0]() is not None]
            self._popens[:count] = left
            self._forked -= {pid for pid in set(self._forked) if _is_reaped(pid)}
            self._of_uvloop &= self._forked
            self._many = _MANY + 2 * (len(left) + len(self._forked))
        finally:
            self._forgetting.release()

    def pids(self) -> set[int]:
        """Return the pids of all that are noted, but not of those that are reaped.

        Another process may have the pid of one that is.
        """
        popens = (reference() for reference, _ in self._popens)
        return {pid for pid in self._forked if not _is_reaped(pid)} | {
            popen.pid
            for popen in popens
            if popen is not None
            and getattr(popen, "pid", None)
            and popen.returncode is None
        }

    def are_expected(self) -> bool:
        """Return whether an event loop will yet learn how one of its children exited."""
        self._of_uvloop -= {pid for pid in self._of_uvloop if _is_reaped(pid)}
        popens = [reference() for reference, loop in self._popens if loop is not None]
        return bool(self._of_uvloop) or any(
            getattr(popen, "pid", None) and popen and popen.returncode is None
            for popen in popens
        )

    def reap(self) -> None:
        """Let the objects reap their children that are dead.

        What an event loop has started is left to it, what was forked to the caller.
        """
        stdlib.children_of_multiprocessing()
        for reference, loop in self._popens:
            popen = reference()
            # One that could not start its process has no pid, or None.
            if getattr(popen, "pid", None) and popen and not _reaps(loop):
                stdlib.reap_popen(popen, None)
        stdlib.reap_dropped_popens()


def _is_reaped(pid: int) -> bool:
    """Return whether a pid is not that of a child any more."""
    system: Any = os  # Windows has no fork, so no child is noted there.
    try:
        options = system.WEXITED | system.WNOHANG | system.WNOWAIT
        system.waitid(system.P_PID, pid, options)
    except ChildProcessError:
        return True
    except (AttributeError, OSError):  # As for `Handle`; on PyPy.
        return False
    return False


def _reaps(loop: "_Loop") -> bool:
    """Return whether an event loop reaps its children.

    One that is closed does so only where it has a thread for each: before Python 3.12.
    """
    if loop is None:
        return False
    found = loop()
    is_open = found is not None and not found.is_closed()
    return is_open or any("waitpid-" in each.name for each in threading.enumerate())


#: Those that note, from the outermost block to the innermost.
_noting: list[Children] = []
#: What is replaced while they do, and by what: it does not run fork hooks of Python.
_replaced: list[tuple[Any, str, Any, Any]] = []


def start() -> Children:
    """Note the children of this process from now on."""
    if not _replaced:
        for kind in popen_classes():
            _replace(kind, "__init__", _noting_init)
        for name in "posix_spawn", "posix_spawnp":
            if hasattr(os, name):  # pragma: no branch
                _replace(os, name, _noting_spawn)
    children = Children()
    _noting.append(children)
    return children


def finish(children: Children) -> None:
    """Note no more."""
    _noting.remove(children)
    while _replaced and not _noting:
        owner, name, old, new = _replaced.pop()
        if getattr(owner, name) is new:
            setattr(owner, name, old)


def _replace(owner: Any, name: str, noting: Callable[[Any], Any]) -> None:
    old = getattr(owner, name)
    new = noting(old)
    _replaced.append((owner, name, old, new))
    setattr(owner, name, new)


def _noting_init(init: Any) -> Any:
    """Return an initializer of Popen that notes the object."""

    def noting_init(self: Any, *args: Any, **options: Any) -> None:
        by_asyncio = stdlib.is_made_by_asyncio(sys._getframe(1))
        loop = weakref.ref(asyncio.get_running_loop()) if by_asyncio else None
        for children in _noting:
            children.note_popen(self, loop)
        init(self, *args, **options)

    return noting_init


def _noting_spawn(spawn: Any) -> Any:
    """Return a function of `os` that notes the child, which its caller reaps."""

    def noting_spawn(*args: Any, **options: Any) -> int:
        pid: int = spawn(*args, **options)
        for children in _noting:
            children.note_child(pid)
        return pid

    return noting_spawn


def _forget_in_child() -> None:
    forks.tell()
    _noting.clear()


def _note_fork() -> None:
    """Note the child that this thread has just forked."""
    if (pid := forks.forked()) is not None:
        for children in _noting:
            children.note_child(pid)


if hasattr(os, "register_at_fork"):  # pragma: no branch
    os.register_at_fork(
        before=lambda: forks.look_before(noting=bool(_noting)),
        after_in_parent=_note_fork,
        after_in_child=_forget_in_child,
    )
