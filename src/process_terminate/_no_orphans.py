"""`no_orphans`."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

from process_terminate._process import ownership, pools, stdlib, table
from process_terminate._process.ending import checked_grace
from process_terminate._process.waits import Steps, run
from process_terminate._tree import subreaper, tags
from process_terminate._tree.ending import appearing, end_tree
from process_terminate._tree.tags import Tag
from process_terminate._tree.tree import Tree, servers


def no_orphans(*, grace: float = 5.0) -> AbstractContextManager[None]:
    """Stop, at the end of a block, every process that was started in it.

    At the end of the `with` block it stops the pools and executors that were made
    inside, and sends `SIGTERM` to all processes that descend from the block.
    After `grace` seconds it sends `SIGKILL` to the processes that are still running.
    It does the same when an exception leaves the block, for example Ctrl-C.
    If an exception interrupts the end of the block, it kills the processes at once,
    and raises the exception. It leaves no process paused.

    **When to use it:** around code that starts processes that may hide, for example
    with `setsid`, with a double fork, or because their parent is dead
    ([example: escape from a tree](../examples/children/escape_from_a_tree.md)).
    In a program with other threads, a process that another thread starts during the
    block counts as started inside.

    **When not to use it:** for one process and its descendants, because
    [`stop_tree()`][process_terminate.stop_tree] does that.
    Do not use it around code that starts a process that must survive the block, such
    as a daemon.

    **Linux:** A process that is started inside the block inherits a tag: a value of
    the resource limit `RLIMIT_LOCKS`, which the kernel has not used since 2.4.
    With the tag `no_orphans()` finds the process even if all its ancestors are dead,
    and mistakes no process of an earlier child for one of the block.
    If that limit cannot be set, an orphan that may belong to an earlier child is left
    alone, and a warning is logged.
    The calling process is a child subreaper inside the block. An orphan of an earlier
    child may come to it, and is left alone.

    **macOS, BSD, Windows:** It raises `RuntimeError`, because it needs the child
    subreaper of Linux.

    It leaves alone the resource trackers and forkservers of `multiprocessing`, and
    the workers of pools that were made before the block. It stops the workers that a
    forkserver starts inside the block.
    Each dead child is reaped by its own object, so you can read `process.poll()` and
    `process.exitcode` afterwards.
    If you forked a child with `os.fork()` or `os.posix_spawn()`, you have to reap it,
    and an event loop reaps the children that it started.
    A child that C code has forked is reaped by `no_orphans()`.

    You can nest blocks in one thread and one asyncio task. Each block stops the
    processes that were started inside it.

    Args:
        grace: Seconds between `SIGTERM` and `SIGKILL`. 0 kills at once.

    Returns:
        A context manager. Its value is `None`.

    Raises:
        TypeError: If `grace` is not a number.
        ValueError: If `grace` is negative or not finite.
        RuntimeError: If the system is not Linux, `/proc` is missing or belongs to
            another pid namespace, or another thread or asyncio task is inside such a
            block.
        PermissionError: If the system does not permit a signal to one of the
            processes.
        TimeoutError: If a process is still running 10 seconds after `SIGKILL`, or new
            ones appear faster than they can be killed.

    Warning: Caveats
        - It cannot help if the process that runs it is itself killed
          ([example: kill the process that runs no_orphans()](../examples/children/kill_the_no_orphans_process.md)).
        - If a fixture of pytest starts a process for the whole session, set it up
          before an `autouse` fixture enters `no_orphans()`
          ([example: stop what a test starts](../examples/children/pytest_leaves_processes.md)).
    """
    return _no_orphans(checked_grace(grace))


@contextmanager
def _no_orphans(grace: float) -> Iterator[None]:
    block = Block(grace)
    try:
        yield
    finally:
        run(block.leaving())


#: How often the workers of a pool that may replace them are killed, a second apart.
_ROUNDS = 5
#: The active blocks of this process, from the outermost to the innermost.
_blocks: list["Block"] = []


class Block:
    """A block of `no_orphans()`, from its beginning to its end."""

    def __init__(self, grace: float) -> None:
        """Begin the block; RuntimeError if that is not possible here."""
        if not subreaper.AVAILABLE:
            raise RuntimeError(
                f"no_orphans() needs the child subreaper of Linux; {sys.platform} has "
                "none: use stop_tree() for each process that you start"
            )
        table.require("no_orphans")
        self._owner = threading.get_ident(), stdlib.current_task()
        _check_nesting(*self._owner)
        self._grace = grace
        self._pid = os.getpid()
        self._before = tags.read(0)
        self._pools = [*stdlib.pools(), *stdlib.executors()]
        self._stack = ExitStack()
        with ExitStack() as stack:
            if not stack.enter_context(subreaper.adopting()):
                raise RuntimeError("no_orphans() needs prctl(PR_SET_CHILD_SUBREAPER)")
            self._children = ownership.start()
            stack.callback(ownership.finish, self._children)
            self._tag = self._tagged()
            self._earlier = [] if self._tag else table.descendants_twice(_sources())
            self._stack = stack.pop_all()
        _blocks.append(self)

    def _tagged(self) -> Tag | None:
        """Tag this process and its forkservers; return the tag."""
        tag = tags.fresh()
        if tag is None or not tags.write(0, tag.value):
            return None
        for server in stdlib.forkservers():
            tags.write(server, tag.value)
        return tag

    def leaving(self) -> Steps[None]:
        """Take the steps of the end of the block."""
        if os.getpid() != self._pid:  # A forked child: the processes are not its own.
            return
        with self._stack, table.room():
            try:
                _blocks.remove(self)
                self._untag()
                yield from self._end()
            finally:
                self._untag()  # Again, as the forkserver may be a new one.

    def _untag(self) -> None:
        """Give this process and its servers the tag of the enclosing block."""
        inner = _blocks[-1]._tag if _blocks else None
        value = inner.value if inner else self._before
        if self._tag and value is not None:
            for pid in (0, *servers()):
                if self._tag.covers(tags.read(pid)):
                    tags.write(pid, value)

    def _end(self) -> Steps[None]:
        """Stop the pools that were made in the block, then what was started in it."""
        known = {id(pool) for pool in self._pools}
        found = [*stdlib.pools(), *stdlib.executors()]
        ended = [pools.adapt(pool) for pool in found if id(pool) not in known]
        # First these: a pool of before the block may start a worker at any moment.
        started = self._children.pids()
        spared = {pid for pool in self._pools for pid in pools.adapt(pool).pids()}
        spared |= (
            {entry.pid for entry in table.descendants(spared)} if spared else set()
        )
        for pool in ended:
            yield from pool.retire()
            started |= pool.pids()
        owned = self._owned()
        tree = Tree(self._tag, servers() | spared, started)
        tree.sources = _sources()
        tree.tell_apart(self._earlier)
        try:
            try:
                if self._may_have_started(tree):
                    yield from appearing(started)
                    yield from end_tree(tree, self._grace, signal.SIGTERM, owned)
            finally:
                for pool in ended:
                    yield from pool.finish()
                yield from self._end_again(tree, ended)
        finally:
            self._children.reap()
            tree.reap(self._owned())
            tree.close()

    def _owned(self) -> frozenset[int]:
        """Return the pids of the children that their objects have to reap."""
        return frozenset(self._children.pids() | stdlib.children_of_multiprocessing())

    def _end_again(self, tree: Tree, ended: list[pools.Pool]) -> Steps[None]:
        """Stop the workers that a pool has started after its others were killed."""
        for _ in range(_ROUNDS):
            if not any(pool.may_replace for pool in ended):
                return
            # They have no tag: this process has its own back.
            tree.known.update(*(pool.pids() for pool in ended))
            tree.scan(lambda _: None)
            if tree.alive():
                yield from end_tree(tree, 0, signal.SIGTERM, self._owned())
            for pool in ended:
                yield from pool.finish()

    def _may_have_started(self, tree: Tree) -> bool:
        """Return whether a process of the block can be there, found out quickly.

        Each descends from a child of this process, which orphans come to, that was
        started inside as well.
        """
        children = table.children(_sources()) if self._tag else None
        if children is None:
            return True
        return any(not tree.is_foreign(pid) for pid in children)


def _sources() -> set[int]:
    """Return the pids whose children are those of this process."""
    return {os.getpid(), *stdlib.forkservers()}


def _check_nesting(thread: int, task: object) -> None:
    """Raise unless the innermost block encloses this one."""
    _blocks[:] = [block for block in _blocks if block._pid == os.getpid()]
    if not _blocks:
        return
    other_thread, other_task = _blocks[-1]._owner
    if other_thread != thread:
        raise RuntimeError(
            "no_orphans() is already active in another thread; "
            "only one thread at a time can use it"
        )
    if other_task is not None and other_task is not task:
        raise RuntimeError(
            "no_orphans() is already active in another task; "
            "only one task at a time can use it"
        )
