"""Circumstances that a test can only bring about inside the library."""

import os
import random
import signal
import subprocess
import sys
import threading
import types
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from multiprocessing import get_context
from subprocess import Popen
from typing import Any, assert_type

import psutil
import pytest
import workers
from support import (
    DEADLINE,
    IGNORE,
    NO_PID,
    REST,
    Shell,
    fail,
    forks,
    is_running,
    needs_pidfds,
    reaps,
    run,
    wait_until,
)

from process_terminate import _event_loop, _exit_on_sigterm, no_orphans, stop_tree
from process_terminate._process import (
    adapters,
    ending,
    handle,
    pools,
    stdlib,
    table,
    waits,
)
from process_terminate._process.gate import Gate
from process_terminate._process.handle import Handle
from process_terminate._process.table import Entry
from process_terminate._tree import blocks, caller, member, noting, tags, tree
from process_terminate._tree import ending as tree_ending
from process_terminate._tree import forks as tree_forks
from process_terminate._tree.member import Member

with suppress(ModuleNotFoundError):  # Windows has none.
    import resource

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="takes Linux's paths")


@on_linux
def test_room_is_made_for_descriptors_and_taken_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    monkeypatch.setattr(os, "pipe", fail(OSError(24, "EMFILE")))
    with table.Room():
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (before[1], before[1])
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == before


def test_children_are_unknown_where_the_kernel_does_not_show_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read = table.read
    monkeypatch.setattr(
        table,
        "read",
        lambda pid, file: b"" if file.endswith("children") else read(pid, file),
    )
    with monkeypatch.context() as patch:
        patch.setattr(os, "stat", fail(FileNotFoundError()))
        assert table.children({os.getpid()}) is None
        with no_orphans():
            pass


def test_lock_that_is_not_released_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waits, "NOTE_WAIT", 0.01)
    lock = threading.Lock()
    with lock, pytest.raises(TimeoutError, match="a lock was not released"):
        waits.locked(lock).__enter__()


@reaps
def test_handle_without_waitid_asks_for_the_parent(
    child: "subprocess.Popen[bytes]", monkeypatch: pytest.MonkeyPatch
) -> None:
    with handle.open_handle(child.pid) as found, monkeypatch.context() as patch:
        patch.delattr(os, "waitid")
        assert found.is_child()
        assert found.exit_code() is None
        patch.setattr(os, "waitpid", fail(ChildProcessError()))  # A thread was faster.
        assert found.exit_code(reap=True) is None


@on_linux
def test_handle_that_polls_is_alive_if_the_table_cannot_be_read(
    child: "subprocess.Popen[bytes]", monkeypatch: pytest.MonkeyPatch
) -> None:
    with handle._PollingHandle(child.pid, child=True) as found:
        with monkeypatch.context() as patch:
            patch.setattr(table, "look_up", fail(OSError(24, "EMFILE")))
            assert not found.is_dead()
        with monkeypatch.context() as patch:
            patch.setattr(os, "kill", fail(PermissionError()))
            found.send(signal.SIGTERM)
        assert found.forbidden


@pytest.mark.parametrize("running", [True, False])
def test_handle_of_windows_without_access_asks_whether_it_runs(
    running: bool, child: "subprocess.Popen[bytes]", monkeypatch: pytest.MonkeyPatch
) -> None:
    found = handle._WindowsHandle(child.pid)
    with monkeypatch.context() as patch:
        patch.setattr(psutil.Process, "wait", fail(psutil.AccessDenied()))
        patch.setattr(psutil.Process, "is_running", lambda _: running)
        assert found.is_dead() is not running


@pytest.mark.parametrize(("winerror", "found"), [(6, None), (5, OSError)])
def test_process_of_windows_that_dies_while_it_is_read_is_gone(
    winerror: int,
    found: type[OSError] | None,
    child: "subprocess.Popen[bytes]",
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    error: Any = OSError()
    error.winerror = winerror
    monkeypatch.setattr(psutil.Process, "name", fail(error))
    with pytest.raises(found) if found else nullcontext():
        assert table._ask_psutil(child.pid) is None


def test_parent_of_windows_that_is_younger_is_none(
    child: "subprocess.Popen[bytes]", monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: Any = types.SimpleNamespace(ppid=lambda: child.pid, create_time=lambda: 0)
    monkeypatch.setattr(sys, "platform", "win32")
    assert table._parent(shown) == 0


@reaps
def test_process_that_its_event_loop_does_not_reap_has_the_code_that_is_seen(
    child: "subprocess.Popen[bytes]", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapters, "NOTE_WAIT", 0.01)
    found = adapters._Asyncio(types.SimpleNamespace(pid=child.pid, returncode=None))
    assert found.find()
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert waits.run(found.status()).code == -9
    found.close()


@pytest.mark.parametrize(("pid", "pipe"), [(1, None), (NO_PID, 0)])
def test_pipe_that_is_unknown_has_no_other_end(pid: int, pipe: int | None) -> None:
    assert not table.has_pipe_to(pid, pipe)


def test_private_attributes_that_are_missing_have_an_answer() -> None:
    nothing: Any = types.SimpleNamespace(returncode=None)
    assert stdlib.pipe_of_worker(nothing) is None
    assert not stdlib.reap_popen(nothing, None)


def test_executor_of_loky_is_shut_down() -> None:
    calls: list[bool] = []
    loky = types.SimpleNamespace(shutdown=lambda *, wait: calls.append(wait))
    waits.run(pools.adapt(loky).retire())
    assert calls == [False]


@on_linux
def test_executor_that_was_dropped_ends_with_the_block() -> None:
    threads = set(threading.enumerate())
    with no_orphans(grace=0):
        executor = ProcessPoolExecutor(1, mp_context=get_context("fork"))
        future = executor.submit(workers.sleep_in_pool, "/nowhere")
        del executor
    assert future.exception(DEADLINE) is not None
    wait_until(lambda: set(threading.enumerate()) <= threads)


@on_linux
def test_tag_cannot_be_set_without_prlimit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(resource, "prlimit")
    assert not tags.write(0, 1)


def test_tree_takes_no_process_that_is_another_one_by_now(
    child: "subprocess.Popen[bytes]",
) -> None:
    found = tree.Tree(None)
    for pid in (NO_PID, child.pid):
        found._take(Entry(pid, 1, 0, "S", ""), lambda _: None, set())
    assert not found.members


def test_scan_finds_two_generations_that_appear_at_once(shell: Shell) -> None:
    root = shell("sh -c 'sleep 60 & echo; wait' & wait")
    found = tree.Tree(None)
    entry = table.look_up(root.pid)
    assert entry
    found.add(entry, handle.open_handle(root.pid))
    assert found.scan(lambda _: None)
    assert len(found.members) == 3
    found.close()
    assert len(stop_tree(root, grace=0)) == 3


@on_linux
def test_tree_with_a_member_that_does_not_die_is_an_error(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, is_dead = shell(IGNORE), Handle.is_dead
    with monkeypatch.context() as patch:
        patch.setattr(tree_ending, "NOTE_WAIT", 0.01)
        patch.setattr(tree_ending, "LAST_WAIT", 0.02)
        patch.setattr(Handle, "is_dead", lambda h: h.pid != root.pid and is_dead(h))
        with pytest.raises(TimeoutError, match=f"after SIGKILL: pid {root.pid}"):
            stop_tree(root, grace=0)
    assert root.wait(DEADLINE) == -9


def test_tree_with_a_member_that_dies_late_is_stopped(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, is_dead, opened = shell(IGNORE), Handle.is_dead, Gate.opened
    late = threading.Event()

    @contextmanager
    def waiting(gate: Gate) -> Iterator[None]:
        late.set()
        with opened(gate):
            yield

    with monkeypatch.context() as patch:
        patch.setattr(tree_ending, "NOTE_WAIT", 0.01)
        patch.setattr(Gate, "opened", waiting)
        patch.setattr(
            Handle,
            "is_dead",
            lambda h: (h.pid != root.pid or late.is_set()) and is_dead(h),
        )
        stop_tree(root, grace=0)
    assert late.is_set()


@on_linux
@needs_pidfds
def test_last_descriptors_are_left_to_the_program(
    child: "subprocess.Popen[bytes]", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handle, "_RESERVED", 1 << 40)
    with pytest.raises(OSError, match="left to the program"):
        handle._PidfdHandle(child.pid)


@forks
def test_function_that_was_replaced_meanwhile_is_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "posix_spawn", os.posix_spawn)
    children = noting.start()
    other = fail(AssertionError())
    monkeypatch.setattr(os, "posix_spawn", other)
    noting.finish(children)
    assert os.posix_spawn is other


def test_process_that_the_cleanup_forks_ends_by_sigterm(
    handler: Callable[[int, Callable[..., object]], None],
) -> None:
    handler(signal.SIGTERM, _exit_on_sigterm._do_nothing)
    _exit_on_sigterm._after_fork_in_child()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_debugger_of_this_process_is_not_suspended(
    child: "subprocess.Popen[bytes]", monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next signal would stop this process for it, and none would continue."""
    monkeypatch.setattr(member, "_tracer", lambda: child.pid)
    entry = table.look_up(child.pid)
    assert entry
    with handle.open_handle(child.pid) as found:
        debugger = Member(entry, found)
        debugger.suspend()
        assert not debugger.suspended
        assert debugger.is_still
    assert psutil.Process(child.pid).status() != psutil.STATUS_STOPPED


def test_copy_of_a_tree_in_a_forked_child_takes_nothing(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = tree.Tree(None, known={shell(REST).pid}, sources={os.getpid()})
    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", lambda: NO_PID)
        assert not found.scan(fail(AssertionError()))


def test_copy_of_a_call_in_a_forked_child_takes_no_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steps: Any = iter([AssertionError()])
    monkeypatch.setattr(_event_loop, "_UNFINISHED", {steps: NO_PID})
    _event_loop._end_at_exit()
    assert next(steps, None)


@on_linux
def test_process_has_not_one_thread_if_that_is_unknown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where a process could be another thread's, its orphans are left alone."""
    with monkeypatch.context() as patch:
        patch.setattr(os, "listdir", lambda _: ["1"])
        patch.delitem(sys.modules, "greenlet", raising=False)
        assert caller.has_one_thread()
        patch.setattr(os, "listdir", fail(PermissionError()))
        assert not caller.has_one_thread()


def test_second_cancellation_waits_for_the_dying() -> None:
    dying: Any = types.SimpleNamespace(
        forbidden=False, send=lambda _: None, is_dead=lambda: True
    )
    steps = ending._kill_all([dying], Gate())
    wait = next(steps)
    assert steps.throw(InterruptedError()) == wait
    with pytest.raises(InterruptedError):
        next(steps)


def test_block_is_no_decorator_of_what_runs_later() -> None:
    async def coroutine() -> None:
        pass

    def generator() -> Iterator[None]:
        yield

    block: Any = no_orphans()
    for function in coroutine, generator:
        with pytest.raises(TypeError, match=r"no_orphans\(\) has no effect"):
            block(function)


@on_linux
def test_block_is_a_decorator_of_a_function() -> None:
    def start(depth: int) -> "list[subprocess.Popen[bytes]]":
        deeper = block(start)(depth - 1) if depth else []
        assert all(one.returncode == -15 for one in deeper)
        return [subprocess.Popen(["sleep", "60"]), *deeper]

    block: Any = no_orphans()
    assert [one.returncode for one in block(start)(1)] == [-15, -15]


@on_linux
def test_decorator_keeps_the_types_of_the_function() -> None:
    """For mypy, which checks this file."""

    @no_orphans()
    def double(number: int) -> int:
        return 2 * number

    assert assert_type(double(2), int) == 4


@on_linux
def test_child_that_the_system_lists_late_is_stopped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It has no tag, and its parent, which never sleeps, dies of the first signal."""
    code = (
        "import resource, subprocess\n"
        "_, hard = resource.getrlimit(10)\n"
        "change = lambda: resource.setrlimit(10, (hard, hard))\n"
        "print(subprocess.Popen(['sleep', '60'], preexec_fn=change).pid, flush=True)\n"
        "while True: pass"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as root:
        assert root.stdout
        late = psutil.Process(int(root.stdout.readline()))
        all_pids, looks = table.all_pids, 0

        def all_pids_but_at_first() -> list[int]:
            nonlocal looks
            looks += 1
            return [pid for pid in all_pids() if looks > 1 or pid != late.pid]

        monkeypatch.setattr(tree, "all_pids", all_pids_but_at_first)
        stop_tree(root)
    assert not is_running(late.pid)


@pytest.mark.parametrize("call", ["stop_tree", "no_orphans"])
def test_process_of_another_program_that_drew_the_same_tag_is_left_alone(
    call: str, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    tag = tags.Tag(tags._TAGGED << 60 | 7 << 40, 40)
    monkeypatch.setattr(tags, "fresh", lambda: tag)
    other = shell("sleep 60 & echo; wait")
    (child,) = psutil.Process(other.pid).children()
    for pid in other.pid, child.pid:
        assert tags.write(pid, tag.value)
    if call == "stop_tree":
        stop_tree(shell(IGNORE), grace=0.1)
    else:
        with no_orphans():
            shell(IGNORE).kill()
    assert is_running(other.pid)
    assert is_running(child.pid)
    stop_tree(other)


@on_linux
def test_block_is_ended_although_a_handler_raises_before_it_is_held_back(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    raised: list[bool] = []

    def gate() -> Gate:
        if not raised:
            raised.append(True)
            raise KeyboardInterrupt
        return Gate()

    monkeypatch.setattr(blocks, "Gate", gate)
    with pytest.raises(KeyboardInterrupt), no_orphans():
        inside = shell(REST)
    assert inside.returncode == -9
    assert tags.read(0) != tags._TAGGED
    assert not blocks.active


@on_linux
def test_tags_do_not_come_from_the_numbers_of_the_program() -> None:
    """Two programs that call random.seed(0) must not draw the same."""
    drawn = set()
    for _ in range(3):
        random.seed(0)
        drawn.add(tags.fresh())
    assert len(drawn) == 3


@on_linux
def test_long_block_forgets_the_children_that_are_gone(shell: Shell) -> None:
    children = noting.Children()
    alive = shell(REST)
    children.note_popen(alive, None)
    forked = os.fork()
    if not forked:
        os._exit(0)
    try:
        children.note_child(forked)
        for number in range(3000):
            children.note_popen(Popen.__new__(Popen), None)
            children.note_child(NO_PID - number)
        assert {alive.pid, forked} <= children.pids()
        assert len(children._popens) + len(children.pids()) < 2500
    finally:
        os.waitpid(forked, 0)


@on_linux
def test_child_that_a_handler_starts_while_a_block_forgets_is_noted(
    child: "subprocess.Popen[bytes]", monkeypatch: pytest.MonkeyPatch
) -> None:
    children = noting.Children()
    children._many = 1

    def is_reaped(_: int) -> bool:
        children.note_child(child.pid)
        return True

    with monkeypatch.context() as patch:
        patch.setattr(noting, "_is_reaped", is_reaped)
        children.note_child(NO_PID)
    assert children.pids() == {child.pid}


@on_linux
def test_fork_without_a_free_descriptor_prints_no_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    errors: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", errors.append)
    with no_orphans(), monkeypatch.context() as patch:
        patch.setattr(table, "read", fail(OSError(24, "Too many open files")))
        forked = os.fork()
        if not forked:
            os._exit(3)
        os.waitpid(forked, 0)
    assert errors == []


def test_only_a_tracker_is_waited_for_as_one(child: "subprocess.Popen[bytes]") -> None:
    """What SIGKILL does not end would be awaited twice."""
    entry = table.look_up(child.pid)
    assert entry
    family = tree.Tree(None)
    family.add(entry, handle.open_handle(child.pid))
    waits.run(tree_ending._end_trackers(family))
    family.close()
    assert child.poll() is None


@on_linux
@pytest.mark.parametrize(
    "error", [RuntimeError("it is gone"), OSError(24, "it is gone")]
)
def test_block_without_the_process_table_stops_its_children(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after chroot(), or if no file descriptor is free."""
    block = no_orphans()
    block.__enter__()
    child = subprocess.Popen(["sleep", "60"])
    monkeypatch.setattr(table, "require", fail(error))
    with pytest.raises(type(error), match="it is gone"):
        block.__exit__(None, None, None)
    assert child.poll() == -signal.SIGTERM


@on_linux
def test_missing_descriptor_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "open", fail(OSError(24, "Too many open files")))
    with pytest.raises(OSError, match=r"no file descriptor is free to read /proc: "):
        table.require("stop_tree")
    monkeypatch.setattr(os, "open", fail(OSError(5, "Input/output error")))
    with pytest.raises(OSError, match="Input/output error"):
        table.require("stop_tree")


@on_linux
@pytest.mark.parametrize("call", ["open", "scandir"])
def test_block_does_not_begin_where_a_sandbox_hides_proc(
    call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Landlock forbids files, folders, or both; its end would stop nothing."""
    monkeypatch.setattr(os, call, fail(PermissionError()))
    with pytest.raises(RuntimeError, match=r"^no_orphans\(\) needs to read the /proc "):
        no_orphans().__enter__()


@on_linux
def test_block_stops_a_forked_child_without_waitid() -> None:
    """PyPy has neither the function nor its constants."""
    program = """
        import os, time
        from process_terminate import no_orphans
        del os.waitid, os.WEXITED, os.WNOWAIT
        with no_orphans():
            pid = os.fork()
            if not pid:
                time.sleep(60)
        print(os.waitpid(pid, 0)[1])
    """
    assert run(program) == "15\n"


@on_linux
def test_missing_proc_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "readlink", fail(FileNotFoundError()))
    with pytest.raises(RuntimeError, match=r"^stop_tree\(\) needs to read the /proc "):
        table.require("stop_tree")


@on_linux
@pytest.mark.parametrize(("told", "child"), [(7, 7), (0, 5)])
def test_child_that_is_forked_beside_an_orphan_tells_its_pid(
    told: int, child: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If it does not, as it has not run for long, the first one is taken for it."""
    before = tree_forks.Fork((4,), 4, bytearray(told.to_bytes(8, "little")))
    monkeypatch.setattr(tree_forks._before, "fork", before, raising=False)
    monkeypatch.setattr(tree_forks, "_children_of_thread", lambda: (4, 5, 7))
    monkeypatch.setattr(tree_forks, "_newest_pid", lambda: 7)
    monkeypatch.setattr(tags, "read", lambda _: None)
    monkeypatch.setattr(tree_forks, "_WAIT", 0.01)
    assert tree_forks.forked() == child
