"""The processes that descend from one process, found while they change."""

import os
import sys
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress

from process_terminate._log import runs_other_code
from process_terminate._process import stdlib, table
from process_terminate._process.gate import Gate
from process_terminate._process.handle import Handle, open_handle
from process_terminate._process.table import Entry, all_pids, look_up
from process_terminate._tree import caller, tags
from process_terminate._tree.member import Member
from process_terminate._tree.tags import Tag

Key = tuple[int, float]
Act = Callable[[Member], None]


class Tree:
    """A set of processes with all their descendants, which may still be growing.

    A process belongs to the tree if its parent does, or if it has the tag of the
    tree, so that it is found even when all its ancestors are dead.

    Args:
        tag: The tag of the tree; None where there are no tags.
        spared: Pids that never belong to the tree.
        known: Pids of children of this process that are known to belong to it.
        sources: The parents of what is known. Where tags cannot be read: pids whose
            new children belong to the tree.
        is_of_block: Whether all that this process starts belongs to the tree.
    """

    def __init__(
        self,
        tag: Tag | None,
        spared: Iterable[int] = (),
        *,
        known: Iterable[int] = (),
        sources: Iterable[int] = (),
        is_of_block: bool = False,
    ) -> None:
        self.tag = tag
        self._creator = os.getpid()
        self.spared = {os.getpid(), *spared}
        self.known = set(known)
        self.members: dict[Key, Member] = {}
        #: Adopted processes that were dead when they were found.
        self.zombies: set[int] = set()
        self.sources = set(sources)
        #: The children of the sources that do not belong to the tree, and whether none
        #: of these can have left an orphan.
        self.earlier: set[Key] = set()
        self.is_alone = False
        #: Beside the sources, what an orphan of the tree may have as its parent, and
        #: when the first process of the tree was started.
        self.reapers: set[int] = set()
        self.since = 0.0
        self.is_of_block = is_of_block
        #: Returns the pids of the children that belong to an object, which reaps them.
        self.owned: Callable[[], Collection[int]] = frozenset
        #: What calls the handlers of signals while the tree is stopped; None if only
        #: `end_tree()` keeps one.
        self.gate: Gate | None = None
        #: Children of before that /proc hides.
        self.hidden: set[int] = set()
        #: Orphans that may belong to the tree or not, and are left alone.
        self.doubtful: set[int] = set()

    def tell_apart(self, earlier: Collection[Entry]) -> None:
        """Note which descendants of the sources do not belong to the tree.

        The dead leave no orphan, nor do the servers of multiprocessing by themselves.
        """
        self.earlier = {entry.key for entry in earlier}
        living = {entry.pid for entry in earlier if not entry.is_dead}
        # Any orphan of its namespace may come to the process with pid 1.
        self.is_alone = living <= servers() and os.getpid() != 1

    def add(self, entry: Entry, handle: Handle) -> Member:
        """Take a process in, and tag it."""
        member = self.members[entry.key] = Member(entry, handle)
        if self.tag:
            tags.extend(entry.pid, self.tag)
        return member

    def alive(self) -> list[Member]:
        """Return the members that are not dead."""
        return [m for m in self.members.values() if not m.handle.is_dead()]

    def scan(self, act: Act) -> bool:
        """Take in the descendants that are new; return whether there were any.

        Each is acted upon when it is found. The newest pids come first, because a
        process that forks and exits must be caught before it is gone.
        """
        if os.getpid() != self._creator:  # A forked child has a copy of the call.
            return False
        parents = {member.entry.pid for member in self.alive()}
        done = self._pinned()
        news = False
        children: dict[int, list[Entry]] = {}
        for pid in reversed(all_pids()):
            if pid in done or self.is_foreign(pid) or not (entry := look_up(pid)):
                continue
            if member := self.members.get(entry.key):
                member.entry = entry
            elif entry.is_dead:
                news |= self._note_zombie(entry)
            elif entry.parent in parents or self._belongs(entry):
                self._take(entry, act, parents)
                news = True
            else:
                children.setdefault(entry.parent, []).append(entry)
        waiting = list(parents)
        while waiting:
            for entry in children.pop(waiting.pop(), []):
                self._take(entry, act, parents)
                news = True
                waiting.append(entry.pid)
        return news

    def first_scan(self) -> None:
        """Take in the descendants that there are, the oldest first.

        A process that is opened before it is looked at, and alive afterwards, is the
        one that was seen, so each is read once. Children come after parents, unless
        pids have started again at the lowest: a second pass takes in all of these.
        """
        parents = {member.entry.pid for member in self.alive()}
        waiting = [pid for pid in all_pids() if pid not in parents | self.spared]
        while waiting:
            others: dict[int, int | None] = {}
            for pid in waiting:
                with suppress(ProcessLookupError):
                    handle = open_handle(pid)
                    parent, entry = handle.parent(), None
                    if parent in parents:
                        entry = look_up(pid)
                    else:
                        others[pid] = parent
                    if entry is None or handle.is_dead():
                        handle.close()
                    else:
                        self.add(entry, handle)
                        parents.add(pid)
            waiting = _below(parents, others)

    def _belongs(self, entry: Entry) -> bool:
        """Return whether a process that has no parent in the tree belongs to it."""
        # A child that was reaped may have left its pid to a process of others.
        if entry.pid in self.known and entry.parent in self.sources:
            return True
        # A program that is setgid or setuid does not let its tag be read.
        if self.tag and (value := tags.read(entry.pid)) is not None:
            if self.tag.covers(value):
                return self._may_descend(entry)
            return self._has_come(entry)
        if entry.parent not in self.sources or entry.key in self.earlier:
            return False
        if self.is_alone and not self._has_guest:
            return True
        self.doubtful.add(entry.pid)  # It may be the orphan of another child.
        return False

    def _may_descend(self, entry: Entry) -> bool:
        """Return whether a process with the tag can be an orphan of the tree.

        An orphan goes to an ancestor of its parent. Another program may have the
        same tag by chance.
        """
        if entry.key in self.earlier or entry.started < self.since:
            return False
        return entry.parent in self.sources or entry.parent in self.reapers

    def _has_come(self, entry: Entry) -> bool:
        """Return whether it is an orphan, which only the tree can have left here.

        It has no tag if it was forked while its parent got one, or has changed the
        limit itself, as `su -` does.
        """
        mine = entry.parent in self.sources and entry.key not in self.earlier
        return mine and self._is_closed

    @property
    def _is_closed(self) -> bool:
        """Whether nothing but the tree can start a process or leave an orphan here."""
        alone = self.is_alone and caller.has_one_thread()
        return alone and caller.current_task() is None and not self._has_guest

    @property
    def owns_orphans(self) -> bool:
        """Whether each orphan that comes here is of the tree, whatever its tag."""
        return self._is_closed or (self.is_of_block and self.is_alone)

    @property
    def _has_guest(self) -> bool:
        """Whether this process may have started one that does not belong to the tree.

        Beside stop_tree() a handler of SIGCHLD or of the log may start a process.
        """
        called = self.gate is not None and self.gate.has_called
        return not self.is_of_block and (called or runs_other_code())

    def is_foreign(self, pid: int) -> bool:
        """Return whether a process cannot belong to the tree, found out quickly."""
        if pid in self.spared:
            return True
        if self.members or not self.tag or self._is_closed or pid in self.known:
            return False
        value = tags.read(pid)
        return value is not None and not self.tag.covers(value)

    def _pinned(self) -> set[int]:
        """Return the pids of the dead that are not reaped, which none else can get."""
        return {
            member.entry.pid
            for member in self.members.values()
            if member.exit_code is None
            and member.handle.is_dead()
            and member.handle.is_child()
        }

    def _note_zombie(self, entry: Entry) -> bool:
        """Remember a dead orphan that has come to this process; return if it is new."""
        if entry.parent != os.getpid() or entry.pid in self.zombies:
            return False
        if not self._belongs(entry):
            return False
        self.zombies.add(entry.pid)
        return True

    def _take(self, entry: Entry, act: Act, parents: set[int]) -> None:
        """Take in a process and act on it, if it is still the one that was seen.

        If it is gone, it may have left a child that this scan has not seen.
        """
        try:
            handle = open_handle(entry.pid)
        except ProcessLookupError:
            return
        now = look_up(entry.pid)
        if now is None or now.key != entry.key or now.is_dead:
            handle.close()
            return
        act(self.add(now, handle))
        parents.add(entry.pid)

    def reap(self) -> None:
        """Reap the dead that came to this process; learn the status of each."""
        owned = self.owned()
        for member in self.members.values():
            if member.exit_code is None:
                reap = member.entry.pid not in owned
                member.exit_code = member.handle.exit_code(reap=reap)
        if sys.platform != "win32":
            for pid in self.zombies.difference(owned):
                with suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)

    def close(self) -> None:
        """Release all processes."""
        for member in self.members.values():
            member.handle.close()


def _below(pids: set[int], parents: dict[int, int | None]) -> list[int]:
    """Return the descendants of some processes, each after its parent."""
    children: dict[int | None, list[int]] = {}
    for pid, parent in parents.items():
        children.setdefault(parent, []).append(pid)
    found = []
    waiting = list(pids)
    while waiting:
        below = children.pop(waiting.pop(), [])
        found += below
        waiting += below
    return found


def servers() -> set[int]:
    """Return the pids of the servers that multiprocessing keeps for this process."""
    return stdlib.forkservers() | stdlib.resource_trackers()


def hidden_children() -> set[int]:
    """Return the pids of the children of this process that /proc hides from its user.

    With hidepid, see proc(5), that is a program that is setuid. With hidepid=1 there
    is a folder for it, whose files cannot be read.
    """
    if look_up(1):
        return set()
    return {pid for pid in table.children({os.getpid()}) or () if table.is_hidden(pid)}
