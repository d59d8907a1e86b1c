"""no_orphans(): no process that a block has started survives it; others do."""

import asyncio
import builtins
import gc
import multiprocessing
import os
import subprocess
import sys
import tempfile
import threading
import time
import types
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
import workers
from hostile import survivors_of_no_orphans, trees
from support import (
    DEADLINE,
    IGNORE,
    METHODS,
    NAMESPACE,
    Shell,
    as_process_1,
    each_pool,
    fail,
    is_running,
    needs_pidfds,
    new_worker,
    run,
    wait_until,
)

from process_terminate import _log, no_orphans, stop, stop_pool, stop_tree
from process_terminate._process import pools, stdlib
from process_terminate._process.table import look_up
from process_terminate._tree import forks, subreaper, tags
from process_terminate._tree.tree import Tree

pty = pytest.importorskip("pty", reason="opens terminals")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")


@pytest.mark.parametrize("tree", trees())
def test_no_process_of_a_hostile_tree_survives(tree: str) -> None:
    assert survivors_of_no_orphans(tree) == 0


def sleep() -> "subprocess.Popen[bytes]":
    """Start a program that sleeps."""
    return subprocess.Popen(["sleep", "60"])


# What is stopped, and reaped by whom.


@pytest.mark.usefixtures("has_tags")
def test_children_and_orphans_are_stopped_and_reaped() -> None:
    before = set(psutil.Process().children())
    with no_orphans():
        process = sleep()
        worker = multiprocessing.get_context("fork").Process(
            target=time.sleep, args=(60,)
        )
        worker.start()
        subprocess.run(
            ["sh", "-c", "sleep 60 & setsid sleep 60 &"], check=True, timeout=60
        )
    assert process.returncode == -15
    assert worker.exitcode == -15
    assert set(psutil.Process().children()) == before


@pytest.mark.parametrize("method", METHODS)
def test_exit_code_of_a_worker_is_true(method: str, shell: Shell) -> None:
    """Even if it dies while the block still waits for another process."""
    with no_orphans(grace=0.2):
        worker = new_worker(method)
        shell(IGNORE)
    worker.process.join(DEADLINE)
    assert worker.code() == -15
    worker.end()


@pytest.mark.parametrize("freeze", [True, False])
def test_status_of_a_popen_is_true(freeze: bool) -> None:
    """Even if the garbage collector does not know the object."""
    with no_orphans():
        process = sleep()
        if freeze:
            gc.freeze()
    gc.unfreeze()
    assert process.poll() == -15


def test_children_of_an_event_loop_are_reaped_by_the_loop() -> None:
    async def main() -> int:
        with no_orphans():
            process = await asyncio.create_subprocess_exec("sleep", "60")
        return await asyncio.wait_for(process.wait(), DEADLINE)

    assert asyncio.run(main()) == -15


@needs_pidfds
def test_children_of_a_closed_event_loop_leave_no_zombie() -> None:
    """By default it has a thread that reaps them before Python 3.12, but not later."""
    program = """
        import asyncio, psutil, sys
        from process_terminate import no_orphans
        if sys.version_info < (3, 12):
            asyncio.set_child_watcher(asyncio.PidfdChildWatcher())
        async def main():
            return await asyncio.create_subprocess_exec("sleep", "60")
        with no_orphans():
            process = asyncio.run(main())
        print(psutil.Process().children())
    """
    assert run(program, options=("-W", "ignore")) == "[]\n"


FORKS: dict[str, Callable[[], int]] = {
    "fork": os.fork,
    "pty.fork": lambda: pty.fork()[0],
    "posix_spawn": lambda: os.posix_spawn("/bin/sleep", ["sleep", "60"], os.environ),
}


@pytest.mark.parametrize("fork", FORKS.values(), ids=FORKS)
def test_forked_children_are_reaped_by_the_caller(
    fork: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As pexpect does; a test may have replaced open() then."""
    spawn = os.posix_spawn
    with no_orphans():
        with monkeypatch.context() as patch:
            patch.setattr(builtins, "open", fail(AssertionError()))
            child = fork()
        if child == 0:
            time.sleep(60)
            os._exit(0)
    assert os.waitpid(child, 0) == (child, 15)
    assert os.posix_spawn is spawn


@as_process_1
def test_orphan_with_the_pid_of_a_finished_command_is_reaped() -> None:
    program = """
        import os, subprocess, sys
        import psutil
        from process_terminate import no_orphans

        orphan = '''
        import os, sys, time
        with open("/proc/sys/kernel/ns_last_pid", "w") as last:
            last.write(str(int(sys.argv[1]) - 1))
        if os.fork() == 0:
            print(os.getpid(), flush=True)
            time.sleep(60)
        '''
        with no_orphans():
            command = subprocess.Popen(["true"])
            command.wait()
            shell = [sys.executable, "-c", orphan, str(command.pid)]
            parent = subprocess.Popen(shell, stdout=subprocess.PIPE)
            print(int(parent.stdout.readline()) == command.pid)
            parent.wait()
        print(psutil.pids() == [os.getpid()])
    """
    assert run(program, prefix=NAMESPACE) == "True\nTrue\n"


def test_dropped_popen_leaves_no_zombie() -> None:
    before = set(psutil.Process().children())
    with no_orphans():
        process = sleep()
        with pytest.warns(ResourceWarning):
            del process
    assert set(psutil.Process().children()) == before


def test_workers_of_a_forkserver_are_stopped_but_not_the_server() -> None:
    context = multiprocessing.get_context("forkserver")
    old = context.Process(target=time.sleep, args=(60,))
    old.start()
    for _ in range(2):
        with no_orphans():
            new = context.Process(target=time.sleep, args=(60,))
            new.start()
        new.join(DEADLINE)
        assert new.exitcode == -15
        assert old.is_alive()
    stop(old)


def test_forkserver_that_a_block_starts_survives_it() -> None:
    context = multiprocessing.get_context("forkserver")
    for _ in range(2):
        with no_orphans():
            new = context.Process(target=time.sleep, args=(60,))
            new.start()
        new.join(DEADLINE)
        assert new.exitcode == -15


# Pools.


def start_and_rest(file: Path) -> None:
    """Start a child as a task of a pool, and write its pid."""
    child = subprocess.Popen(["sleep", "60"])
    file.write_text(str(child.pid))
    child.wait(60)


def job(_: object) -> int:
    """Start a child as a task of a pool."""
    subprocess.Popen(["sleep", "60"])
    return os.getpid()


@each_pool
@pytest.mark.parametrize(
    ("method", "fails"), [*((method, False) for method in METHODS), ("fork", True)]
)
def test_pool_that_is_not_closed_ends_with_the_block(
    method: str, make: Callable[[Any], Any], fails: bool
) -> None:
    """Its threads do not start workers again."""
    threads = set(threading.enumerate())
    found: list[psutil.Process] = []
    with suppress(ZeroDivisionError), no_orphans():
        pool = make(multiprocessing.get_context(method))
        pids = set(pool.map(job, range(4)))
        for pid in pids:
            worker = psutil.Process(pid)
            found += [worker, *worker.children()]
        if fails:
            raise ZeroDivisionError
    assert len(found) >= 4
    assert [p for p in found if p.is_running() and p.status() != "zombie"] == []
    wait_until(lambda: set(threading.enumerate()) <= threads)
    with pytest.raises((ValueError, RuntimeError)):
        (pool.apply if hasattr(pool, "apply") else pool.submit)(abs, (1,))


def test_program_with_a_pool_that_is_not_closed_exits() -> None:
    """It does not hang at its exit."""
    program = """
        import multiprocessing, time
        from process_terminate import no_orphans
        with no_orphans(grace=0):
            pool = multiprocessing.get_context("fork").Pool(2)
            results = [pool.map_async(time.sleep, [60] * 10)]
            results += [pool.apply_async(time.sleep, (60,))]
            pool.imap(abs, [1, -2])
        for result in results:
            try:
                result.get(5)
            except RuntimeError as error:
                print(error)
    """
    assert run(program) == "the pool was stopped before the task was done\n" * 2


def test_pool_with_other_parts_ends_with_the_block(
    monkeypatch: pytest.MonkeyPatch, shell: Shell
) -> None:
    """As that of billiard, or of a later Python."""
    before = multiprocessing.active_children()
    monkeypatch.setattr(stdlib, "_PARTS", ["renamed"])
    pool = multiprocessing.get_context("fork").Pool(2)
    with pytest.raises(RuntimeError, match="needs renamed of the pool, which this"):
        stop_pool(pool)
    pool.terminate()
    pool.join()
    with no_orphans(grace=0):
        pool = multiprocessing.get_context("fork").Pool(2)
        pool.apply_async(workers.ignore_sigterm, (shell("echo; sleep 60"),))
    assert set(multiprocessing.active_children()) <= set(before)


@pytest.mark.measured
def test_pool_whose_constructor_was_interrupted_ends_with_the_block() -> None:
    """Its thread goes on to replace the workers that the block kills."""
    program = """
        import multiprocessing, signal, threading, time
        from multiprocessing.pool import ThreadPool
        from process_terminate import no_orphans

        class Interrupting(threading.Thread):
            def start(self):
                super().start()
                signal.raise_signal(signal.SIGINT)

        earlier = ThreadPool(1)
        context = multiprocessing.get_context("fork")
        try:
            with no_orphans(grace=0):
                threads, real = ThreadPool(1), threading.Thread
                threading.Thread = Interrupting
                context.Pool(2)
        except KeyboardInterrupt:
            threading.Thread = real
        left = [t for t in threading.enumerate() if "_handle_workers" in t.name]
        for thread in left[2:]:
            thread.join(30)
        print(multiprocessing.active_children())
        for pool in (earlier, threads):
            print(pool.apply(abs, (-3,)))
            pool.terminate()
    """
    assert run(program) == "[]\n3\n3\n"


def test_orphan_that_comes_during_a_fork_is_not_taken_for_the_child() -> None:
    """On a busy machine the parent may run later than its grandchild."""
    program = """
        import os, subprocess, time
        # It runs before the library's own function.
        os.register_at_fork(after_in_parent=lambda: os.read(reader, 1))
        reader, writer = os.pipe()
        from process_terminate import no_orphans
        with no_orphans(grace=0):
            child = os.fork()
            if child == 0:
                subprocess.run(["sh", "-c", "sleep 60 & echo $! >orphan"])
                os.write(writer, b".")
                os._exit(3)
            os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
        with open("orphan") as file:
            print("orphan left:", os.path.exists(f"/proc/{file.read().strip()}"))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        os.remove("orphan")
    """
    with tempfile.TemporaryDirectory() as folder:
        program = program.replace(
            "import os,", f"import os; os.chdir({folder!r}); import", 1
        )
        assert run(program) == "orphan left: False\n3\n"


@pytest.mark.parametrize("starter", ["earlier", "of_block"])
def test_orphan_that_comes_before_a_forked_child_is_not_taken_for_it(
    starter: str,
) -> None:
    """That of an earlier child keeps running, and the child is left to its caller."""
    program = f"""
        import os, subprocess, time
        # It runs after the library's own function, just before the fork.
        os.register_at_fork(before=lambda: leave_orphan())
        import psutil
        from process_terminate import no_orphans
        def start():
            script = "read line; (sleep 60 & echo $!); exec sleep 60"
            pipes = dict.fromkeys(["stdin", "stdout"], subprocess.PIPE)
            pipes |= dict(stderr=subprocess.DEVNULL, text=True)
            return subprocess.Popen(["sh", "-c", script], bufsize=1, **pipes)
        def leave_orphan():
            shell.stdin.write("\\n")
            orphans.append(psutil.Process(int(shell.stdout.readline())))
            while orphans[0].ppid() != os.getpid():
                time.sleep(0.01)
        orphans = []
        earlier = start()
        with no_orphans(grace=0):
            of_block = start()
            shell = {starter}
            child = os.fork()
            if child == 0:
                time.sleep(60)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        print("orphan left:", orphans[0].is_running())
        earlier.kill()
        if shell is earlier:
            orphans[0].kill()
    """
    left = starter == "earlier"
    assert run(program) == f"-9\norphan left: {left}\n"


def test_pid_was_given_after_another_one_even_if_they_start_again() -> None:
    assert [pid for pid in range(9) if forks._is_between(pid, 3, 5)] == [4, 5]
    assert [pid for pid in range(9) if forks._is_between(pid, 6, 1)] == [0, 1, 7, 8]


def test_process_that_got_the_pid_of_a_reaped_child_is_left_alone(shell: Shell) -> None:
    """What is known of a child holds only as long as it is a child."""
    process = shell("sleep 60 & echo; wait")
    (other,) = psutil.Process(process.pid).children()
    tree = Tree(None, known={other.pid, process.pid})
    tree.sources = {os.getpid()}
    entry, child = look_up(other.pid), look_up(process.pid)
    assert entry
    assert child
    assert not tree._belongs(entry)
    assert tree._belongs(child)
    other.kill()


def test_workers_that_a_slow_pool_replaces_are_killed_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A pool of an unknown kind may take longer than the block waits."""
    before = multiprocessing.active_children()
    monkeypatch.setattr(stdlib, "_PARTS", ["renamed"])
    release = threading.Event()
    with no_orphans(grace=0):
        pool: Any = multiprocessing.get_context("fork").Pool(2)
        terminate = pool.terminate

        def slow() -> None:
            release.wait(DEADLINE)
            pool._worker_handler._state = "TERMINATE"
            pool._inqueue._rlock = threading.Lock()  # Its holder was killed.
            terminate()

        monkeypatch.setattr(pool, "terminate", slow)
        threading.Timer(2.5, release.set).start()
    assert set(multiprocessing.active_children()) <= set(before)


def test_block_gives_up_on_a_pool_that_does_not_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stdlib, "_PARTS", ["renamed"])
    monkeypatch.setattr(pools, "NOTE_WAIT", 0.05)
    release, ended = threading.Event(), list[bool]()
    with no_orphans(grace=0):
        pool: Any = multiprocessing.get_context("fork").Pool(2)
        terminate = pool.terminate
        wait = lambda: ended.append(release.wait(DEADLINE))  # noqa: E731
        monkeypatch.setattr(pool, "terminate", wait)
    release.set()
    pool._worker_handler._state = "TERMINATE"
    pool._inqueue._rlock = threading.Lock()  # Its holder was killed.
    terminate()
    pool.join()
    assert wait_until(lambda: ended) == [True]


def test_child_of_a_worker_of_an_earlier_pool_is_left_alone(tmp_path: Path) -> None:
    """Even if the pool has started the worker inside the block."""
    file = tmp_path / "pid"
    with multiprocessing.get_context("fork").Pool(1, maxtasksperchild=1) as pool:
        with no_orphans():
            inside = sleep()
            pool.apply(abs, (1,))
            pool.apply_async(start_and_rest, (file,))
            wait_until(lambda: file.exists() and file.read_text())
        assert inside.returncode == -15
        child = psutil.Process(int(file.read_text()))
        assert is_running(child.pid)
        child.kill()


OLDER: dict[str, Callable[[Any], Any]] = {
    "Pool": lambda context: context.Pool(2, maxtasksperchild=1),
    "ProcessPoolExecutor": lambda context: ProcessPoolExecutor(2, mp_context=context),
}


@pytest.mark.parametrize("make", OLDER.values(), ids=OLDER)
def test_pool_of_before_continues(make: Callable[[Any], Any]) -> None:
    """Even with workers that it has started inside the block."""
    fork = multiprocessing.get_context("fork")
    with make(fork) as pool:
        assert list(pool.map(abs, [-1])) == [1]
        with no_orphans():
            # Not a Popen: a worker that is forked meanwhile would keep its pipe.
            inside = fork.Process(target=time.sleep, args=(60,))
            inside.start()
            assert list(pool.map(abs, [-1, -2, -3])) == [1, 2, 3]
        assert inside.exitcode == -15
        assert list(pool.map(abs, [-2])) == [2]


# Innocent processes.


@pytest.mark.parametrize(
    "launcher", ["sleep 60 & echo; read x", "echo; read x; sleep 60 & sleep 0.1"]
)
def test_orphan_of_an_earlier_child_is_left_alone(
    has_tags: bool, launcher: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Started before the block, and during it."""
    # Not caplog, which has missed the message beside other work.
    noted: list[object] = []
    monkeypatch.setattr(_log.log, "warning", lambda *args: noted.extend(args))
    with subprocess.Popen(
        ["sh", "-c", launcher], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout
        other.stdout.readline()
        before = set(psutil.Process().children())
        with no_orphans():
            inside = sleep()
            other.stdin.write(b"\n")  # type: ignore[union-attr]
            other.stdin.flush()  # type: ignore[union-attr]
            other.wait(DEADLINE)
        assert inside.returncode == -15
        (orphan,) = set(psutil.Process().children()) - before
        assert orphan.name() == "sleep"
        assert is_running(orphan.pid)
        if not has_tags and "read x; sleep" in launcher:
            assert f"pid {orphan.pid}" in noted
        orphan.kill()
        orphan.wait(DEADLINE)


@pytest.mark.parametrize("grace", [0, 5])
def test_earlier_children_and_their_children_are_left_alone(
    grace: float, shell: Shell
) -> None:
    earlier = shell("sleep 60 & echo; wait")
    with no_orphans(grace=grace):
        inside = sleep()
    assert earlier.poll() is None
    assert inside.returncode == (-15 if grace else -9)
    assert len(stop_tree(earlier)) == 2


@pytest.mark.alone
@pytest.mark.measured
def test_forked_child_that_leaves_the_block_stops_nothing() -> None:
    program = """
        import os, subprocess
        from process_terminate import no_orphans
        with no_orphans():
            process = subprocess.Popen(["sleep", "60"])
            child = os.fork()
            if child:
                os.waitpid(child, 0)
                print(process.poll())
        if child == 0:
            with no_orphans():
                another = subprocess.Popen(["sleep", "60"])
            print(another.returncode, flush=True)
            os._exit(0)
    """
    assert run(program) == "-15\nNone\n"


# Blocks.


def test_blocks_may_be_nested() -> None:
    limit, init = tags.read(0), subprocess.Popen.__init__
    with no_orphans():
        outer, tag = sleep(), tags.read(0)
        with no_orphans():
            inner, inner_tag = sleep(), tags.read(0)
            with no_orphans(), no_orphans():
                innermost = sleep()
            assert innermost.returncode == -15
            assert inner.poll() is None
            assert tags.read(0) == inner_tag != tag
        assert inner.returncode == -15
        assert outer.poll() is None
        assert tags.read(0) == tag != limit
    assert outer.returncode == -15
    assert tags.read(0) == limit
    assert subprocess.Popen.__init__ is init


@pytest.mark.parametrize("order", [[0, 1], [1, 0, 2], [2, 3, 0, 1]])
def test_blocks_that_are_left_in_another_order_leave_no_tag(order: list[int]) -> None:
    limit = tags.read(0)
    blocks = [no_orphans() for _ in order]
    started = []
    for block in blocks:
        block.__enter__()
        started.append(sleep())
    for number in order:
        blocks[number].__exit__(None, None, None)
    assert [process.returncode for process in started] == [-15] * len(order)
    assert tags.read(0) == limit


def test_second_thread_is_refused() -> None:
    with no_orphans(), ThreadPoolExecutor(1) as pool:
        entering = pool.submit(no_orphans().__enter__)
        with pytest.raises(RuntimeError, match="already active in another thread"):
            entering.result(DEADLINE)
    with no_orphans():
        pass


def test_second_task_is_refused_and_the_subreaper_flag_restored() -> None:
    was_set, limit = subreaper.is_set(), tags.read(0)

    async def block(entered: asyncio.Event) -> int | None:
        with no_orphans():
            process = sleep()
            entered.set()
            await asyncio.sleep(0.2)
        return process.returncode

    async def main() -> None:
        entered = asyncio.Event()
        first = asyncio.create_task(block(entered))
        await entered.wait()
        with pytest.raises(RuntimeError, match="already active in another task"):
            await asyncio.create_task(block(entered))
        assert await first == -15

    with no_orphans():
        asyncio.run(main())
    assert (subreaper.is_set(), tags.read(0)) == (was_set, limit)


def test_second_task_of_trio_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trio is not installed here, but a task of it is known."""
    trio = types.SimpleNamespace(lowlevel=types.SimpleNamespace(current_task=lambda: 1))
    monkeypatch.setitem(sys.modules, "trio", trio)
    with no_orphans():
        trio.lowlevel.current_task = lambda: 2
        with pytest.raises(RuntimeError, match="already active in another task"):
            no_orphans().__enter__()


@pytest.mark.parametrize("was_set", [True, False])
def test_subreaper_flag_is_what_it_was(was_set: bool) -> None:
    before = subreaper.is_set()
    subreaper.switch(was_set)
    try:
        with no_orphans():
            assert subreaper.is_set()
            stop_tree(sleep())
            assert subreaper.is_set()
        assert subreaper.is_set() == was_set
    finally:
        subreaper.switch(before)


def test_subreaper_says_that_the_system_refuses() -> None:
    with pytest.raises(OSError, match=r"prctl\(-1\) failed"):
        subreaper._prctl(-1, 0)


def test_block_without_prctl_says_what_it_needs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(subreaper, "switch", fail(OSError))
    limit = tags.read(0)
    with pytest.raises(
        RuntimeError, match=r"needs prctl.*: use stop_tree\(\) for each"
    ):
        no_orphans().__enter__()
    assert tags.read(0) == limit


@pytest.mark.parametrize("grace", [-1, float("nan"), "5"])
def test_wrong_grace_is_refused_before_the_block(grace: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="grace must be a"):
        no_orphans(grace=grace)


# Exceptions.


@pytest.mark.parametrize("own", [True, False])
def test_ctrl_c_in_the_grace_period_kills_and_leaves_no_zombie(own: bool) -> None:
    """Of an own child, and of an orphan that was adopted."""
    program = """
        import os, psutil, signal, subprocess, sys
        from process_terminate import no_orphans
        code = "trap '' TERM INT; echo; exec sleep 60"
        def interrupt(*_):
            raise KeyboardInterrupt
        signal.signal(signal.SIGALRM, interrupt)
        try:
            with no_orphans(grace=60):
                command = ["sh", "-c", code]
                if sys.argv[1] == "False":
                    command = ["sh", "-c", '"$@" &', "sh", *command]
                child = subprocess.Popen(command, stdout=subprocess.PIPE)
                child.stdout.readline()
                if sys.argv[1] == "False":
                    child.wait()
                signal.setitimer(signal.ITIMER_REAL, 0.3)
        except KeyboardInterrupt:
            print(psutil.Process().children(), child.returncode)
    """
    assert run(program, str(own)) == ("[] -9\n" if own else "[] 0\n")


def test_entry_and_exit_cost_little_with_many_objects() -> None:
    """No search through the objects of the program."""
    program = """
        import time
        from process_terminate import no_orphans
        with no_orphans():
            pass
        objects = [[] for _ in range(300_000)]
        times = []
        for _ in range(20):
            before = time.perf_counter()
            with no_orphans():
                pass
            times.append(time.perf_counter() - before)
        print(min(times) < 0.01)
    """
    assert run(program) == "True\n"


def test_block_in_a_program_with_hundreds_of_children_stops_its_own() -> None:
    """The kernel shows the pids of some 500 at a time."""
    program = """
        import os, subprocess, time
        from process_terminate import no_orphans
        read, write = os.pipe()
        for _ in range(900):
            if not os.fork():
                os.close(write)
                os.read(read, 1)  # Until the program has ended.
                os._exit(0)
        with no_orphans():
            inside = subprocess.Popen(["sleep", "60"])
        print(inside.returncode)
    """
    assert run(program) == "-15\n"
