"""A process's descendants, found and ended while they change."""

import gc
import multiprocessing
import multiprocessing.forkserver
import multiprocessing.resource_tracker
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from process_terminate._census import Entry, all_pids, census, look_up
from process_terminate._handle import Handle, hold
from process_terminate._stop import kill_all

Key = tuple[int, float]
Act = Callable[["Member"], None]

#: Seconds until the first look for descendants that have appeared meanwhile.
_FIRST_LOOK = 0.05
#: Seconds in which a stopped process must be seen to be stopped.
_FREEZE_WAIT = 2.0
#: Steps after a process that forks and exits, in one look.
_CHASE = 200
#: Rounds of killing, against a family that grows for ever.
_ROUNDS = 100


@dataclass
class Member:
    """A process of the family, and what was done to it."""

    entry: Entry
    handle: Handle
    told: Literal["nothing", "SIGTERM", "SIGKILL"] = "nothing"
    suspended: bool = False
    has_object: bool = True
    """Whether an object of the caller's may stand for it, which is to reap it."""
    exit_code: int | None = None

    @property
    def is_still(self) -> bool:
        """Whether it can start no process: it is stopped, dead, or in the kernel."""
        return self.suspended and self.entry.state in "TtZXD"


class Family:
    """Processes and their descendants, some of which may be still to come.

    Args:
        have_objects: Whether objects of the caller's may stand for descendants,
            too, and not only for the processes that are added. If not, each is
            reaped as soon as it is dead, if it has come to this process.
    """

    def __init__(self, *, have_objects: bool) -> None:
        self._have_objects = have_objects
        self.members: dict[Key, Member] = {}
        #: Descendants that are held, and still to be taken in.
        self._held: list[tuple[Handle, Entry | None]] = []
        self._adopts = False
        self._spared: set[Key] = set()
        self._zombies: set[int] = set()

    def adopt(self) -> None:
        """Take in orphans, too, as this process is child subreaper from now on.

        They come to this process; the children that the survey saw are spared.
        """
        self._adopts = True

    def add(self, entry: Entry, handle: Handle) -> Member:
        """Take a process in."""
        member = self.members[entry.key] = Member(entry, handle)
        return member

    def _take_in(self, entry: Entry, handle: Handle) -> Member:
        """Take in a descendant."""
        member = self.add(entry, handle)
        member.has_object = self._have_objects
        return member

    def alive(self) -> list[Member]:
        """The members that are not dead."""
        return [member for member in self.members.values() if not member.handle.wait()]

    def _parents(self) -> set[int]:
        """The pids whose children belong to the family."""
        parents = {member.entry.pid for member in self.alive()}
        return parents | {os.getpid(), *_servers()} if self._adopts else parents

    def survey(self) -> None:
        """Take hold of the descendants that there are; note this process's children.

        What is held before it is looked at, and alive afterwards, is what was seen:
        so each needs one look. The oldest first, as children come after parents.
        """
        mine = {os.getpid(), *_servers()}
        parents = self._parents()
        known = set(parents)
        for pid in all_pids():
            try:
                handle = hold(pid)
            except ProcessLookupError:
                continue
            # The system says faster who the parent is than all that an entry has.
            parent, entry = handle.parent(), None
            if parent is None and (entry := look_up(pid)):
                parent = entry.parent
            if parent in mine and (entry := entry or look_up(pid)):
                self._spared.add(entry.key)
            if parent in parents and pid not in known:
                self._held.append((handle, entry))
                parents.add(pid)
            else:
                handle.close()
        self._held.reverse()  # Taken in from the end.

    def _begin(self, act: Act) -> None:
        """Act on the members, and on those that are held, which become members."""
        for member in self.alive():
            act(member)
        while self._held:
            handle, entry = self._held.pop()
            entry = entry or look_up(handle.pid)
            if entry is None or handle.wait():
                handle.close()
            else:
                act(self._take_in(entry, handle))

    def look(self, act: Act) -> bool:
        """Take in the descendants that are new, act on each; whether there was one.

        One that dies before it is taken in counts, too: it may have left a child
        that this look has not seen. So does an orphan that has come and died.
        """
        servers = _servers()
        parents = self._parents()
        news = False
        children: dict[int, list[Entry]] = {}
        for entry in census(self._pinned()):
            if member := self.members.get(entry.key):
                member.entry = entry
            elif entry.key in self._spared or entry.pid in servers:
                pass
            elif entry.is_dead:
                news |= self._note_zombie(entry)
            elif entry.parent in parents:
                news = True
                self._take(entry, act, parents)
            else:
                children.setdefault(entry.parent, []).append(entry)
        waiting = list(parents)
        while waiting:
            for entry in children.pop(waiting.pop(), []):
                news = True
                self._take(entry, act, parents)
                waiting.append(entry.pid)
        return news

    def _pinned(self) -> set[int]:
        """The pids that cannot be another's: of the dead that wait to be reaped here."""
        return {
            member.entry.pid
            for member in self.members.values()
            if member.exit_code is None
            and member.handle.wait()
            and member.handle.is_child()
        }

    def _note_zombie(self, entry: Entry) -> bool:
        """Remember an orphan that has come to this process, and died; if it is new."""
        if not self._adopts or entry.parent != os.getpid():
            return False
        new = entry.pid not in self._zombies
        self._zombies.add(entry.pid)
        return new

    def _take(self, entry: Entry, act: Act, parents: set[int]) -> None:
        """Take in a process and act on it; if it has just died, chase its child."""
        for _ in range(_CHASE):
            parents.add(entry.pid)
            if self._catch(entry, act):
                return
            # Most systems give out pids in a row: faster than another look.
            for pid in range(entry.pid + 1, entry.pid + 9):
                child = look_up(pid)
                if child and self._is_new(child, parents):
                    entry = child
                    break
            else:
                return

    def _is_new(self, entry: Entry, parents: set[int]) -> bool:
        """Whether it is to be taken in."""
        known = entry.key in self.members or entry.key in self._spared
        belongs = entry.parent in parents and entry.pid not in _servers()
        return belongs and not known and not entry.is_dead

    def _catch(self, entry: Entry, act: Act) -> bool:
        """Take hold of a process and act on it, if it is still the one that was seen."""
        try:
            handle = hold(entry.pid)
        except ProcessLookupError:
            return False
        now = look_up(entry.pid)
        if now is None or now.key != entry.key or now.is_dead:
            handle.close()
            return False
        act(self._take_in(entry, handle))
        return True

    def end(self, grace: float) -> None:
        """End all members, all that are held, and who appears.

        On Windows nobody is asked: TerminateProcess leaves no grace, and of a
        process that is stopped first no child can slip away.
        """
        ended = False
        try:
            if grace > 0 and sys.platform != "win32":
                ended = self._ask(time.monotonic() + grace)
        finally:
            if not ended:  # Also when Ctrl-C comes while it waits.
                self._force()

    def _ask(self, deadline: float) -> bool:
        """Send SIGTERM to all, also to those that appear; whether all have ended."""
        self._begin(_terminate)
        pause = _FIRST_LOOK
        while (now := time.monotonic()) < deadline:
            self._wait(min(deadline, now + pause))
            # Before the look: who dies during it may have left a child unseen.
            alive = self.alive()
            for member in alive:  # Who is not dead by now may be stopped.
                member.handle.tell("resume")
            if not self.look(_terminate) and not alive:
                return True
            pause *= 2
        return False

    def _wait(self, end: float) -> None:
        """Wait until all are dead, or it is time; reap while others are dying."""
        for member in self.members.values():
            dead = member.handle.wait(end - time.monotonic())
            if dead and not member.has_object and member.exit_code is None:
                member.exit_code = member.handle.exit_code(reap=True)

    def _force(self) -> None:
        """Freeze all, until nothing new appears, and kill them."""
        self._begin(_suspend)
        for _ in range(_ROUNDS):
            quiet = self._freeze()
            alive = self.alive()
            if quiet and not alive:
                return
            for member in alive:
                member.told = "SIGKILL"
            kill_all([member.handle for member in alive])
        raise TimeoutError(
            f"new processes appear faster than they can be killed, {_ROUNDS} times"
        )

    def _freeze(self) -> bool:
        """Stop all members: what is stopped starts no process; whether all are."""
        end = time.monotonic() + _FREEZE_WAIT
        while time.monotonic() < end:
            # Before the look, for the same reason as above.
            quiet = all(member.is_still for member in self.alive())
            for member in self.alive():
                _suspend(member)
            if not self.look(_suspend) and quiet:
                return True
        return False

    def reap(self) -> None:
        """Reap the dead that are children of this process; learn how they ended."""
        for member in self.members.values():
            if member.exit_code is None:
                member.exit_code = member.handle.exit_code(reap=True)
        if sys.platform != "win32":  # pragma: no branch
            for pid in self._zombies:
                with suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)

    def reap_through_objects(self) -> None:
        """Let the objects reap that stand for the dead.

        A child that is reaped behind the back of its object is alive for ever in
        the eyes of `multiprocessing`, and successful in those of `subprocess`.
        """
        multiprocessing.active_children()  # Reaps its own.
        dead = {member.entry.pid for member in self.members.values()} | self._zombies
        for popen in gc.get_objects() if dead else []:
            if isinstance(popen, subprocess.Popen) and popen.pid in dead:
                popen.poll()

    def close(self) -> None:
        """Let go of all."""
        held = [handle for handle, _ in self._held]
        for handle in (*held, *(member.handle for member in self.members.values())):
            handle.close()


def _servers() -> set[int]:
    """The pids of the servers that multiprocessing keeps for this process."""
    forkserver: Any = multiprocessing.forkserver._forkserver
    tracker: Any = multiprocessing.resource_tracker._resource_tracker
    return {pid for pid in (forkserver._forkserver_pid, tracker._pid) if pid}


def _terminate(member: Member) -> None:
    """Send SIGTERM; SIGCONT follows when it turns out to be needed."""
    member.handle.tell("terminate")
    member.told = "SIGTERM"


def _suspend(member: Member) -> None:
    if not member.suspended:
        member.handle.tell("suspend")
        member.suspended = True
