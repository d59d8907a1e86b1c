"""The ways to stop a hostile tree, each in a caller of its own."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import psutil

from evidence.studies.hostile_trees import Neighbor, Tree
from process_terminate import no_orphans, stop_tree

#: Seconds between SIGTERM and SIGKILL; some of the trees ignore SIGTERM.
GRACE = 0.1
#: Trees whose every process responds to SIGTERM, or exits soon after those that do:
#: stopping one must not take the whole grace period, which is longer for them.
PROMPT = {"tracker": 10.0}

Root = subprocess.Popen[str]


def by_killpg(root: Root, grace: float) -> None:
    """Signal the process group that the root leads."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(root.pid, number)
        with suppress(subprocess.TimeoutExpired):
            root.wait(grace)


def by_psutil_recipe(root: Root, grace: float) -> None:
    """Do what psutil's documentation recommends for a process tree."""
    try:
        parent = psutil.Process(root.pid)
        tree = [*parent.children(recursive=True), parent]
    except psutil.NoSuchProcess:
        return
    for process in tree:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs(tree, timeout=grace)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=5)


def by_stop_tree(root: Root, grace: float) -> None:
    """Call stop_tree()."""
    stop_tree(root, grace=grace)


def beside_a_thread(root: Root, grace: float) -> None:
    """Call stop_tree() while the caller has a second thread."""
    done = threading.Event()
    thread = threading.Thread(target=done.wait, daemon=True)
    thread.start()
    try:
        stop_tree(root, grace=grace)
    finally:
        done.set()


def by_an_operator(root: Root, grace: float) -> None:
    """Call stop_tree() in a process that is no ancestor of the tree."""
    operator = os.fork()
    if operator == 0:
        exit_after(lambda: stop_tree(psutil.Process(root.pid), grace=grace))
    _, status = os.waitpid(operator, 0)
    if status:
        raise RuntimeError("the operator's call failed; see above")


@dataclass(frozen=True)
class Caller:
    """The process that starts a tree and stops it."""

    tree: Tree
    neighbor: Neighbor
    pipe: int

    @property
    def grace(self) -> float:
        """Seconds between SIGTERM and SIGKILL."""
        return PROMPT.get(self.tree.name, GRACE)

    def grow(self) -> Root:
        """Start the tree, and say when it was complete."""
        root = self.tree.grow(self.neighbor)
        os.write(self.pipe, f"{time.monotonic()}\n".encode())
        return root

    def stop_by(self, stop: Callable[[Root, float], None]) -> None:
        """Start the tree, and stop it."""
        stop(self.grow(), self.grace)

    def have_no_orphans(self) -> None:
        """Start the tree in a block of no_orphans()."""
        with no_orphans(grace=self.grace):
            root = self.grow()
        if root.returncode is None:
            raise RuntimeError("no_orphans() has not reaped through the object")


Way = Callable[[Caller], None]
#: The ways to stop a tree, as the table names them. The first four are this library's.
WAYS: dict[str, Way] = {
    "stop_tree()": lambda caller: caller.stop_by(by_stop_tree),
    "stop_tree(), the caller has threads": lambda c: c.stop_by(beside_a_thread),
    "stop_tree(), not the caller's tree": lambda c: c.stop_by(by_an_operator),
    "no_orphans()": Caller.have_no_orphans,
    "killpg": lambda caller: caller.stop_by(by_killpg),
    "psutil's recipe": lambda caller: caller.stop_by(by_psutil_recipe),
}


def exit_after(act: Callable[[], object]) -> None:
    """Act and exit, in a fork, even if another interrupt comes at any moment."""
    try:
        try:
            status = 1
            act()
            status = 0
        except KeyboardInterrupt:
            status = 0
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(status)
    finally:
        os._exit(0)
