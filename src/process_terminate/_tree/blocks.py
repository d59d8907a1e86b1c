"""The blocks of `no_orphans()`, and the one of Linux."""

import atexit
import os
import signal
import sys
import threading
from abc import ABC, abstractmethod
from contextlib import ExitStack, suppress

from process_terminate._process import pools, stdlib, table
from process_terminate._process.ending import end_all
from process_terminate._process.gate import Gate
from process_terminate._process.handle import open_handle
from process_terminate._process.waits import NOTE_WAIT, Steps, pauses, run
from process_terminate._tree import caller, noting, subreaper, tags
from process_terminate._tree.ending import appearing, end_tree
from process_terminate._tree.tags import Tag
from process_terminate._tree.tree import Tree, hidden_children, servers

#: How often the workers of a pool that may replace them are killed, a second apart.
_ROUNDS = 5
#: The blocks of this process, from the outermost to the innermost.
active: list["Block"] = []


class Block(ABC):
    """A block of `no_orphans()`, from its beginning to its end."""

    def __init__(self, grace: float) -> None:
        thread, task = threading.get_ident(), caller.current_task()
        self.owner = thread, caller.reference(task)
        self.pid = os.getpid()
        self.tag: Tag | None = None
        #: What this process had in the place of a tag before its outermost block.
        self.before: int | None = None
        _check_nesting(thread, task)
        #: Seconds.
        self.grace = grace
        self._pools = _all_pools()
        self._half_made = stdlib.half_made_pools()

    @abstractmethod
    def leaving(self) -> Steps[None]:
        """Take the steps of the end of the block."""

    def settling(self) -> Steps[None]:
        """Take the steps after the end, for which only an event loop can wait."""
        yield from ()

    def _new_pools(self) -> list[pools.Pool]:
        """Return the pools and executors that were made in the block."""
        known = {id(pool) for pool in self._pools}
        return [pools.adapt(pool) for pool in _all_pools() if id(pool) not in known]

    def _spared(self) -> set[int]:
        """Return the pids of the workers of earlier pools, and of what these started."""
        found = {pid for pool in self._pools for pid in pools.adapt(pool).pids()}
        if found:
            found |= {entry.pid for entry in table.descendants(found)}
        return found


class LinuxBlock(Block):
    """A block on Linux, where a tag and a child subreaper find what it started."""

    def __init__(self, grace: float) -> None:
        """Begin the block; RuntimeError if that is not possible here."""
        if not subreaper.AVAILABLE:
            raise RuntimeError(
                f"no_orphans() needs Linux or Windows, and this is {sys.platform}: "
                "use stop_tree() for each process that you start"
            )
        self._stack = ExitStack()
        with ExitStack() as stack, table.Room():
            table.require("no_orphans")
            super().__init__(grace)
            # Blocks may be left in another order than they were entered.
            self.before = active[0].before if active else tags.read(0)
            if not stack.enter_context(subreaper.adopting()):
                raise RuntimeError(
                    "no_orphans() needs prctl(PR_SET_CHILD_SUBREAPER), by ctypes, which "
                    "this system forbids, or Python exits: use stop_tree() for each "
                    "process that you start"
                )
            self._children = noting.start()
            stack.callback(noting.finish, self._children)
            self.tag = self._tagged()
            look = table.child_entries if self.tag else table.descendants_twice
            self._earlier = look(_sources())
            self._hidden = hidden_children()
            self._stack = stack.pop_all()
        active.append(self)

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
        # A forked child does not own the processes; or the block was ended at exit.
        if os.getpid() != self.pid or self not in active:
            return
        try:
            yield from self._leave()
        except BaseException:
            if self in active:  # A handler raised before the gate was closed.
                self.grace = 0
                yield from self._leave()
            raise

    def settling(self) -> Steps[None]:
        """Wait until the event loop knows what it has reaped.

        Before Python 3.12 a thread tells it, and complains if the loop is closed then.
        """
        for short in pauses(NOTE_WAIT):
            if not self._children.are_expected():
                break
            yield short

    def _leave(self) -> Steps[None]:
        with Gate() as gate, self._stack, table.Room():
            try:
                active.remove(self)
                self._untag()
                yield from self._end(gate)
            finally:
                self._untag()  # Again, as the forkserver may be a new one.

    def _untag(self) -> None:
        """Give this process and its servers the tag of the innermost block."""
        inner = next((block.tag for block in reversed(active) if block.tag), None)
        value = inner.value if inner else self.before
        if self.tag and value is not None:
            for pid in (0, *servers()):
                if self.tag.covers(tags.read(pid)):
                    tags.write(pid, value)

    def _end(self, gate: Gate) -> Steps[None]:
        """Stop the pools that were made in the block, then what was started in it."""
        try:
            table.require("no_orphans")
        except (RuntimeError, OSError):  # Such as after chroot().
            yield from self._end_children(gate)
            raise
        ended = self._new_pools()
        for thread in stdlib.half_made_pools() - self._half_made:
            stdlib.end_half_made_pool(thread)
        # First these: a pool of before the block may start a worker at any moment.
        started = self._children.pids()
        spared = self._spared()
        grace = 0.0  # If Ctrl-C interrupts the pools, the rest is killed at once.
        try:
            with gate.opened():
                for pool in ended:
                    yield from pool.retire()
            grace = self.grace
        finally:
            started.update(*(pool.pids() for pool in ended))
            yield from self._end_tree(ended, started, spared, grace, gate)

    def _end_children(self, gate: Gate) -> Steps[None]:
        """Stop the children alone, without the process table."""
        with ExitStack() as stack:
            handles = []
            for pid in self._children.pids():
                with suppress(ProcessLookupError):
                    handle = stack.enter_context(open_handle(pid, child=True))
                    handles += [handle] if handle.is_child() else []
            try:
                yield from end_all(handles, self.grace, signal.SIGTERM, gate)
            finally:
                self._children.reap()

    def _end_tree(
        self,
        ended: list[pools.Pool],
        started: set[int],
        spared: set[int],
        grace: float,
        gate: Gate,
    ) -> Steps[None]:
        """Stop what was started in the block, and then release its pools."""
        tree = Tree(
            self.tag,
            servers() | spared,
            known=started,
            sources=_sources(),
            is_of_block=True,
        )
        tree.gate, tree.hidden, tree.owned = gate, self._hidden, self._owned
        tree.tell_apart(self._earlier)
        may_replace = _may_replace(ended)
        try:
            try:
                if self._may_have_started(tree):
                    yield from appearing(started)
                    yield from end_tree(tree, grace, signal.SIGTERM)
            finally:
                for pool in ended:
                    yield from pool.finish()
                yield from self._kill_replacements(tree, ended, may_replace)
        finally:
            try:
                self._children.reap()
                tree.reap()
            finally:
                tree.close()

    def _owned(self) -> frozenset[int]:
        """Return the pids of the children that their objects have to reap."""
        return frozenset(self._children.pids() | stdlib.children_of_multiprocessing())

    def _kill_replacements(
        self, tree: Tree, ended: list[pools.Pool], may_replace: bool
    ) -> Steps[None]:
        """Stop the workers that a pool has started after its others were killed."""
        for _ in range(_ROUNDS):
            if not may_replace:
                return
            may_replace = _may_replace(ended)
            # They have no tag: this process has its own back.
            tree.known.update(*(pool.pids() for pool in ended))
            tree.scan(lambda _: None)
            if tree.alive():
                yield from end_tree(tree, 0, signal.SIGTERM)
            for pool in ended:
                yield from pool.finish()

    def _may_have_started(self, tree: Tree) -> bool:
        """Return whether a process of the block can be there, found out quickly.

        Each descends from a child of this process, which orphans come to, that was
        started inside as well.
        """
        children = table.children(_sources()) if self.tag else None
        if children is None:
            return True
        return any(not tree.is_foreign(pid) for pid in children)


def _may_replace(ended: list[pools.Pool]) -> bool:
    """Return whether one of some pools may still start workers."""
    return any(pool.may_replace for pool in ended)


def _all_pools() -> list[object]:
    """Return the pools and executors of this process."""
    return [*stdlib.pools(), *stdlib.executors()]


def _sources() -> set[int]:
    """Return the pids whose children are those of this process."""
    return {os.getpid(), *stdlib.forkservers()}


def _check_nesting(thread: int, task: object) -> None:
    """Raise unless the innermost block encloses this one."""
    active[:] = [block for block in active if block.pid == os.getpid()]
    if not active:
        return
    other_thread, reference = active[-1].owner
    other_task = reference()
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


@atexit.register
def _end_at_exit() -> None:
    """End the blocks that nothing else ends: of a daemon thread, or of a generator.

    Later, modules cannot be imported, and threads cannot be started.
    """
    with ExitStack() as stack:  # The innermost ends first, and an error ends no other.
        for block in active:
            block.grace = 0.0
            stack.callback(run, block.leaving())
