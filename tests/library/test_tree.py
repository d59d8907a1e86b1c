"""stop_tree() and no_orphans() end hostile trees, and nothing else."""

import errno
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import psutil
import pytest
import workers

from evidence import examples
from evidence.measure import leftovers
from evidence.studies import survivors
from process_terminate import (
    ExitStatus,
    _census,
    _family,
    _handle,
    _subreaper,
    no_orphans,
    stop,
    stop_tree,
)

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="looks for survivors in /proc"
)

RUNS = 3

each_tree = pytest.mark.parametrize("tree", survivors.trees())


@each_tree
def test_no_orphans_leaves_no_survivor(tree: str) -> None:
    """However the processes of a tree hide."""
    counted = [survivors.survivors_of_no_orphans(tree) for _ in range(RUNS)]
    assert counted == [0] * RUNS


@pytest.mark.parametrize(
    "tree", sorted(set(survivors.trees()) - survivors.OUT_OF_REACH)
)
def test_stop_tree_leaves_no_survivor_within_reach(tree: str) -> None:
    """Also of those that appear while it works."""
    end = survivors.by_stop_tree
    counted = [survivors.survivors_of(tree, end) for _ in range(RUNS)]
    assert counted == [0] * RUNS


@pytest.fixture(autouse=True)
def _nothing_left() -> Iterator[None]:
    with leftovers.ended() as left:
        yield
    assert left == []


@pytest.fixture
def sleeper() -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts a program that sleeps; ends it after the test."""
    started: list[subprocess.Popen[bytes]] = []

    def start(command: str = "exec sleep 60") -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen(["sh", "-c", command]))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


Sleeper = Callable[..., subprocess.Popen[bytes]]


def wait_for_sleeps(process: subprocess.Popen[bytes], count: int = 1) -> None:
    """Wait until a shell has so many `sleep`s: each is a copy of the shell first."""
    end = time.monotonic() + 30
    while sum(map(is_sleep, psutil.Process(process.pid).children(True))) < count:
        assert time.monotonic() < end
        time.sleep(0.01)


def is_sleep(process: psutil.Process) -> bool:
    """Whether it is that program by now, and not gone."""
    try:
        return process.name() == "sleep"
    except psutil.NoSuchProcess:
        return False


def test_stop_tree_says_how_each_ended(sleeper: Sleeper) -> None:
    """The root first, with its status; of the others what can be known."""
    root = sleeper("trap '' TERM; sleep 60 & wait")
    wait_for_sleeps(root)
    ended = stop_tree(root, grace=0.2)
    assert [(e.name, e.by) for e in ended] == [("sh", "SIGKILL"), ("sleep", "SIGKILL")]
    assert ended[0].pid == root.pid
    assert ended[0].status == ExitStatus(-9)
    assert root.returncode == -9


def test_stop_tree_knows_who_ended_on_sigterm(sleeper: Sleeper) -> None:
    """Whoever ends within the grace period gets no SIGKILL."""
    root = sleeper("(trap '' TERM; exec sleep 60) & wait")
    wait_for_sleeps(root)
    ended = stop_tree(root, grace=0.2)
    assert [(e.name, e.by) for e in ended] == [("sh", "SIGTERM"), ("sleep", "SIGKILL")]


def test_stop_tree_without_grace_kills_at_once(sleeper: Sleeper) -> None:
    """No SIGTERM is sent."""
    root = sleeper("sleep 60 & wait")
    wait_for_sleeps(root)
    assert {e.by for e in stop_tree(root, grace=0)} == {"SIGKILL"}


def test_stop_tree_of_the_dead_says_so(sleeper: Sleeper) -> None:
    """Joined or not, with the status that it left."""
    root = sleeper("exit 3")
    wait_until_zombie(root.pid)
    (ended,) = stop_tree(root)
    assert (ended.by, ended.status) == ("nothing", ExitStatus(3))
    (again,) = stop_tree(root)
    assert (again.by, again.status) == ("nothing", ExitStatus(3))


def wait_until_zombie(pid: int) -> None:
    """Wait for a child to end, and leave it unreaped."""
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


@pytest.mark.parametrize("method", list(examples.start_methods()))
def test_stop_tree_ends_the_family_of_a_worker(method: str) -> None:
    """A multiprocessing process of any start method, with a child of its own."""
    context: Any = multiprocessing.get_context(method)
    receiver, sender = context.Pipe(duplex=False)
    worker = context.Process(target=workers.have_a_child, args=(sender,))
    worker.start()
    grandchild = receiver.recv()
    stop_tree(worker, grace=2)
    assert worker.exitcode == -signal.SIGTERM
    assert not psutil.pid_exists(grandchild)


@pytest.mark.parametrize("relative", [os.getpid, os.getppid])
def test_stop_tree_refuses_the_caller_and_its_ancestors(
    relative: Callable[[], int],
) -> None:
    """Before any signal is sent."""
    with pytest.raises(ValueError, match="calling process"):
        stop_tree(psutil.Process(relative()))


def test_stop_tree_leaves_the_other_children_alone(sleeper: Sleeper) -> None:
    """Those of before, and their children."""
    other = sleeper("sleep 60 & wait")
    wait_for_sleeps(other)
    stop_tree(sleeper())
    assert other.poll() is None
    assert len(psutil.Process(other.pid).children()) == 1
    stop_tree(other)


def test_stop_tree_leaves_alone_what_another_thread_starts(sleeper: Sleeper) -> None:
    """With several threads no child is taken for an orphan."""
    others: list[subprocess.Popen[bytes]] = []
    root = sleeper("trap '' TERM; while :; do sleep 1; done")
    wait_for_sleeps(root)  # It is deaf by then.
    stop = threading.Event()

    def start_others() -> None:
        while not stop.wait(0.02):
            others.append(sleeper())

    thread = threading.Thread(target=start_others)
    thread.start()
    try:
        stop_tree(root, grace=0.3)
    finally:
        stop.set()
        thread.join()
    assert others
    assert {other.poll() for other in others} == {None}


def test_stop_tree_can_end_more_than_there_are_descriptors() -> None:
    """What pidfds cannot hold is held by its start time."""
    program = (
        "import resource, subprocess, sys, process_terminate as p\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (120, 120))\n"
        "root = subprocess.Popen([sys.executable, '-c', "
        "'import os, time\\nfor _ in range(200):\\n"
        "  if not os.fork(): time.sleep(60)\\nprint(flush=True); time.sleep(60)'],"
        "stdout=subprocess.PIPE)\n"
        "root.stdout.readline()\n"
        "print(len(p.stop_tree(root, grace=5)))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
    )
    assert run.stdout == "201\n"


@pytest.mark.parametrize("was_set", [True, False])
def test_subreaper_is_what_it_was(was_set: bool, sleeper: Sleeper) -> None:
    """After stop_tree() and after a block of no_orphans()."""
    _subreaper.switch(was_set)
    try:
        stop_tree(sleeper())
        assert _subreaper.is_set() == was_set
        with no_orphans():
            assert _subreaper.is_set()
        assert _subreaper.is_set() == was_set
    finally:
        _subreaper.switch(True)  # As leftovers.ended() wants it.


def test_no_orphans_reaps_through_the_objects() -> None:
    """A Process and a Popen know how they ended."""
    with no_orphans():
        worker = multiprocessing.Process(target=time.sleep, args=(60,))
        worker.start()
        process = subprocess.Popen(["sleep", "60"])
    assert worker.exitcode == -signal.SIGTERM
    assert process.returncode == -signal.SIGTERM


def test_no_orphans_leaves_no_zombie() -> None:
    """Orphans that came to this process are reaped, too."""
    with no_orphans():
        subprocess.run(["sh", "-c", "sleep 60 & sleep 60 &"], check=True)
    assert psutil.Process().children() == []


def test_no_orphans_ends_workers_of_a_forkserver_but_not_the_server() -> None:
    """The forkserver is kept for the whole program, its new workers are not."""
    context = multiprocessing.get_context("forkserver")
    old = context.Process(target=time.sleep, args=(60,))
    old.start()
    with no_orphans():
        new = context.Process(target=time.sleep, args=(60,))
        new.start()
    new.join()  # It is dead; the forkserver may not have told yet.
    assert new.exitcode == -signal.SIGTERM
    assert old.is_alive()
    stop(old)


def test_no_orphans_leaves_earlier_children_alone(sleeper: Sleeper) -> None:
    """What was there at its beginning is there at its end."""
    earlier = sleeper()
    with no_orphans():
        inside = sleeper()
    assert earlier.poll() is None
    assert inside.returncode == -signal.SIGTERM


def test_no_orphans_may_be_nested(sleeper: Sleeper) -> None:
    """The inner block ends what was started in it, and nothing of the outer."""
    with no_orphans():
        outer = sleeper()
        with no_orphans():
            inner = sleeper()
        assert inner.returncode == -signal.SIGTERM
        assert outer.poll() is None
    assert outer.returncode == -signal.SIGTERM


def test_no_orphans_refuses_a_second_thread() -> None:
    """It says so at once, instead of waiting or guessing."""
    with no_orphans(), ThreadPoolExecutor(1) as pool:
        entering = pool.submit(no_orphans().__enter__)
        with pytest.raises(RuntimeError, match="another thread is inside a block"):
            entering.result(timeout=10)
    with no_orphans():
        pass


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt, SystemExit])
def test_no_orphans_lets_an_exception_pass(
    error: type[BaseException], sleeper: Sleeper
) -> None:
    """After it has ended what was started."""
    started = []

    def fail() -> None:
        with no_orphans():
            started.append(sleeper())
            raise error

    with pytest.raises(error):
        fail()
    assert started[0].returncode == -signal.SIGTERM


def test_no_orphans_kills_when_ctrl_c_comes_in_the_grace_period() -> None:
    """The wait is cut short; nothing is left."""
    program = (
        "import subprocess, process_terminate as p\n"
        "with p.no_orphans(grace=60):\n"
        "    child = subprocess.Popen(['sh', '-c', "
        "'trap \"\" TERM INT; echo; exec sleep 60'], stdout=subprocess.PIPE)\n"
        "    child.stdout.readline()\n"
        "    print(child.pid, flush=True)\n"
    )
    keeper = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with keeper.stdout or sys.stdin as stdout:
        child = psutil.Process(int(stdout.readline()))
        time.sleep(0.3)  # Into the grace period, if it can be had.
        keeper.send_signal(signal.SIGINT)
        assert keeper.wait(30) != 0
    assert not child.is_running()


def test_no_orphans_refuses_other_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    """A promise that cannot be kept is not given."""
    monkeypatch.setattr(_subreaper, "AVAILABLE", False)
    with pytest.raises(RuntimeError, match="needs the child subreaper of Linux"):
        no_orphans().__enter__()


@pytest.mark.parametrize("grace", [-1, float("nan"), float("inf")])
def test_grace_must_be_finite_seconds(grace: float, sleeper: Sleeper) -> None:
    """Refused before anything is done."""
    process = sleeper()
    with pytest.raises(ValueError, match="grace is 0 or more seconds, and finite"):
        stop_tree(process, grace=grace)
    with pytest.raises(ValueError, match="grace is 0 or more seconds, and finite"):
        no_orphans(grace=grace).__enter__()
    assert process.poll() is None


def test_stop_tree_gives_up_on_a_family_that_cannot_be_frozen(
    monkeypatch: pytest.MonkeyPatch, sleeper: Sleeper
) -> None:
    """It is killed as far as it was seen, and the error says why it goes on."""
    monkeypatch.setattr(_family, "_FREEZE_WAIT", 0)
    monkeypatch.setattr(_family, "_ROUNDS", 2)
    root = sleeper()
    with pytest.raises(TimeoutError, match="appear faster than they can be killed, 2"):
        stop_tree(root, grace=0)
    assert root.wait() == -signal.SIGKILL


def test_census_without_proc_is_the_same(
    monkeypatch: pytest.MonkeyPatch, sleeper: Sleeper
) -> None:
    """By psutil there are the same children, with a unit of time of its own."""
    root = sleeper("sleep 60 & wait")
    wait_for_sleeps(root)

    def children() -> set[tuple[int, str, bool]]:
        return {
            (entry.pid, entry.name, entry.is_dead)
            for entry in _census.census()
            if entry.parent == root.pid
        }

    by_proc = children()
    monkeypatch.setattr(sys, "platform", "darwin")
    assert children() == by_proc
    assert len(by_proc) == 1
    assert _census.look_up(0x7FFFFFFF) is None
    monkeypatch.undo()
    stop_tree(root)


def test_stop_tree_works_without_proc(
    monkeypatch: pytest.MonkeyPatch, sleeper: Sleeper
) -> None:
    """As on macOS: by what psutil can see."""
    monkeypatch.setattr(sys, "platform", "darwin")
    root = sleeper("sleep 60 & wait")
    wait_for_sleeps(root)
    ended = stop_tree(root)
    assert [(e.name, e.by) for e in ended] == [("sh", "SIGTERM"), ("sleep", "SIGTERM")]


def test_stop_tree_asks_nobody_on_windows(
    monkeypatch: pytest.MonkeyPatch, sleeper: Sleeper
) -> None:
    """All are suspended, and then ended, whatever the grace period."""
    root = sleeper("sleep 60 & wait")
    wait_for_sleeps(root)
    told: list[tuple[int, str]] = []
    tell = _handle._ByPsutil.tell

    def note(handle: Any, verb: Any) -> None:
        told.append((handle.pid, verb))
        tell(handle, verb)

    with monkeypatch.context() as patch:
        patch.setattr(sys, "platform", "win32")
        patch.setattr(_handle._ByPsutil, "tell", note)
        ended = stop_tree(root, grace=60)
    assert [(e.name, e.by) for e in ended] == [("sh", "SIGKILL"), ("sleep", "SIGKILL")]
    pids = [e.pid for e in ended]
    assert told == [(pid, verb) for verb in ("suspend", "kill") for pid in pids]


def test_subreaper_says_that_the_system_refuses() -> None:
    """By the number of the error."""
    with pytest.raises(OSError, match=r"prctl\(-1\) failed") as caught:
        _subreaper._prctl(-1, 0)
    assert caught.value.errno == errno.EINVAL


def test_family_chases_who_dies_before_it_is_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The child that a dying process leaves has a pid that is one of the next."""
    here = os.getpid()
    gone = _census.Entry(900_001, here, 1.0, "S", "gone")
    child = _census.Entry(900_003, gone.pid, 2.0, "S", "child")
    seen = {child.pid: child}
    caught: list[int] = []
    family = _family.Family(have_objects=False)

    def catch(entry: _census.Entry, _: object) -> bool:
        caught.append(entry.pid)
        return entry is child

    monkeypatch.setattr(_family, "look_up", seen.get)
    monkeypatch.setattr(family, "_catch", catch)
    family._take(gone, lambda _: None, {here})
    assert caught == [gone.pid, child.pid]
    caught.clear()
    seen.clear()
    family._take(gone, lambda _: None, {here})
    assert caught == [gone.pid]


def test_family_gives_up_a_chase_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next look goes on where it was."""
    here = os.getpid()
    first = _census.Entry(900_001, here, 1.0, "S", "chain")
    caught: list[int] = []
    family = _family.Family(have_objects=False)

    def look_up(pid: int) -> _census.Entry:
        return _census.Entry(pid, pid - 1, 1.0, "S", "chain")

    def catch(entry: _census.Entry, _: object) -> bool:
        caught.append(entry.pid)
        return False

    monkeypatch.setattr(_family, "_CHASE", 3)
    monkeypatch.setattr(_family, "look_up", look_up)
    monkeypatch.setattr(family, "_catch", catch)
    family._take(first, lambda _: None, {here})
    assert caught == [900_001, 900_002, 900_003]


def test_family_does_not_take_in_who_is_gone() -> None:
    """Seen alive, and reaped before it could be held."""
    gone = subprocess.Popen(["true"])
    gone.wait()
    family = _family.Family(have_objects=False)
    entry = _census.Entry(gone.pid, os.getpid(), 1.0, "S", "gone")
    assert not family._catch(entry, lambda _: None)
    assert family.members == {}


def test_family_does_not_take_in_who_got_the_pid() -> None:
    """Seen alive, and reaped before it could be held; another has its pid now."""
    with subprocess.Popen(["sleep", "60"]) as other:
        family = _family.Family(have_objects=False)
        entry = _census.Entry(other.pid, os.getpid(), 1.0, "S", "gone")
        assert not family._catch(entry, lambda _: None)
        assert family.members == {}
        other.kill()


def test_stop_tree_asks_where_the_kernel_does_not_tell_parents(
    monkeypatch: pytest.MonkeyPatch, sleeper: Sleeper
) -> None:
    """As before Linux 6.13: /proc says it, too."""
    monkeypatch.setattr(_handle._ByPidfd, "parent", lambda _: None)
    root = sleeper("sh -c 'sleep 60 & wait' & wait")
    wait_for_sleeps(root)
    ended = stop_tree(root)
    assert [(e.name, e.by) for e in ended] == [
        ("sh", "SIGTERM"),
        ("sh", "SIGTERM"),
        ("sleep", "SIGTERM"),
    ]


def test_survey_passes_over_who_is_gone(
    monkeypatch: pytest.MonkeyPatch, sleeper: Sleeper
) -> None:
    """A process may die between the list of pids and the look at it, or after it."""
    nobody = 0x7FFFFFFF
    root = sleeper("sleep 60 & sleep 61 & wait")
    wait_for_sleeps(root, 2)
    told: list[int] = []
    with closing(_family.Family(have_objects=False)) as family:
        entry = _census.look_up(root.pid)
        assert entry
        family.add(entry, _handle.hold(root.pid))
        pids = [*_census.all_pids(), nobody]
        monkeypatch.setattr(_family, "all_pids", lambda: pids)
        family.survey()
        first, second = psutil.Process(root.pid).children()
        assert {handle.pid for handle, _ in family._held} == {first.pid, second.pid}
        first.kill()  # A zombie, or reaped: its parent is in wait.
        while first.is_running() and first.status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.01)
        family._begin(lambda member: told.append(member.entry.pid))
        assert told == [root.pid, second.pid]
        assert [m.entry.pid for m in family.members.values()] == told
    stop_tree(root)


def test_family_lets_go_of_who_was_held_and_not_taken_in(sleeper: Sleeper) -> None:
    """As when Ctrl-C comes at that moment."""
    before = os.listdir("/proc/self/fd")  # noqa: PTH208, one look
    root = sleeper("sleep 60 & wait")
    wait_for_sleeps(root)
    with closing(_family.Family(have_objects=False)) as family:
        entry = _census.look_up(root.pid)
        assert entry
        family.add(entry, _handle.hold(root.pid))
        family.survey()
        assert len(family._held) == 1
    assert os.listdir("/proc/self/fd") == before  # noqa: PTH208, one look
    stop_tree(root)


def test_what_is_left_of_a_chain_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the looks are, and however many links are gone before they end."""

    def slowly(pid: int) -> _handle.Handle:
        time.sleep(0.005)
        return _handle.hold(pid)

    monkeypatch.setattr(survivors, "hold", slowly)
    with survivors._marked(survivors._LOOKS) as mark:
        root = survivors._grown("chain", mark)
    root.wait()
    assert survivors._count_alive(mark, survivors._LOOKS) == 0
