"""What else goes wrong in the program around a call: it harms nothing, nothing is left."""

import errno
import gc
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from support import (
    DEADLINE,
    IGNORE,
    REST,
    TERMINATED,
    TREE,
    Shell,
    Start,
    as_root,
    can_mount,
    completed,
    fail,
    hiding,
    is_running,
    run,
    run_as_nobody,
)

from process_terminate import kill, no_orphans, stop, stop_all, stop_tree, terminate
from process_terminate._command import statuses
from process_terminate._process import adapters, gate, table
from process_terminate._process.handle import Handle
from process_terminate._tree import blocks, ending, subreaper
from process_terminate._tree.tags import _RLIMIT_LOCKS
from process_terminate._tree.tree import Tree

resource = pytest.importorskip("resource", reason="sets limits of the system")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="sends signals")


@pytest.mark.parametrize(
    ("command", "options", "error"),
    [
        (["a\0b"], {}, ValueError),
        (["/no/such/program"], {}, FileNotFoundError),
        ([1], {}, TypeError),
        (["true"], {"bufsize": None, "pass_fds": [9999]}, OSError),
        (["true"], {"bufsize": "x"}, TypeError),
        (["true"], {"env": {"a=b": ""}}, ValueError),
        (["true"], {"user": "no such user"}, KeyError),
        (["true"], {"preexec_fn": lambda: 1 / 0}, subprocess.SubprocessError),
    ],
)
@pytest.mark.parametrize("popen", [subprocess.Popen, psutil.Popen])
def test_error_of_a_command_leaves_a_block_as_it_is(
    popen: Any, command: Any, options: Any, error: type[Exception], shell: Shell
) -> None:
    """Even if it is kept, and with it the object that has no process."""
    with no_orphans():  # Some descriptors stay open from the first time on.
        pass
    gc.collect()  # What earlier tests have dropped holds some.
    before = psutil.Process().num_fds()
    with pytest.raises(error), no_orphans():  # noqa: PT012
        started = shell(REST)
        popen(command, **options)
    assert started.returncode == -signal.SIGTERM
    assert started.stdout
    started.stdout.close()
    assert psutil.Process().num_fds() == before


def test_process_that_cannot_be_described_is_killed(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As psutil takes its own module from sys.modules, where it may be gone."""
    first, second = shell(IGNORE), shell(IGNORE)

    def name(_: psutil.Process) -> str:
        raise KeyError("psutil")

    monkeypatch.setattr(psutil.Process, "name", name)
    assert stop(first, grace=0.1).code == -signal.SIGKILL
    assert stop_tree(second, grace=0.1)[0].status.code == -signal.SIGKILL


@pytest.mark.parametrize("call", ["stop", "stop_tree"])
def test_object_that_is_deleted_at_the_end_of_the_program_stops_its_process(
    call: str,
) -> None:
    said = run(
        f"""
        import subprocess, sys
        from process_terminate import {call}
        class Owner:
            def __init__(self):
                self.child = subprocess.Popen(["sh", "-c", sys.argv[1]], stdout=-1)
                self.child.stdout.readline()
            def __del__(self):
                {call}(self.child, grace=0.1)
                sys.stdout.write(str(self.child.returncode))
        owner = Owner()
        """,
        IGNORE,
    )
    assert said == "-9"


def test_child_of_psutil_is_stopped_by_an_object_that_is_deleted_at_the_end() -> None:
    """It has lost its modules by then: https://github.com/giampaolo/psutil/issues/2437."""
    said = run(
        """
        import psutil, subprocess, sys
        from process_terminate import stop
        class Owner:
            def __init__(self):
                self.child = psutil.Process(subprocess.Popen(["sleep", "60"]).pid)
            def __del__(self):
                sys.stdout.write(str(stop(self.child, grace=0)))
        owner = Owner()
        """
    )
    assert said == "killed by SIGKILL (9); a shell shows 137"


def test_process_that_psutil_cannot_tell_is_stopped_only_if_it_is_a_child(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = psutil.Process(shell(TREE).pid)
    (other,) = child.children()
    with monkeypatch.context() as patch:
        patch.setattr(psutil.Process, "is_running", fail(KeyError("psutil")))
        with pytest.raises(RuntimeError, match="as Python exits; stop it earlier"):
            stop(other)
        found = stop_tree(child, grace=0)
    assert [one.pid for one in found] == [child.pid, other.pid]


@pytest.fixture
def log_that_raises(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Raise at each message of the library."""

    def emit(record: logging.LogRecord) -> None:
        raise RuntimeError(record.msg)

    caplog.set_level(logging.DEBUG, "process_terminate")
    monkeypatch.setattr(caplog.handler, "emit", emit)


@pytest.mark.usefixtures("log_that_raises")
def test_handler_of_the_log_that_raises_leaves_no_process(shell: Shell) -> None:
    processes = [shell(IGNORE), shell(IGNORE)]
    with pytest.raises(RuntimeError, match="did not end"):
        stop_all(processes, grace=0.1)
    assert [process.returncode for process in processes] == [-9, -9]


@pytest.mark.usefixtures("log_that_raises")
def test_handler_of_the_log_that_raises_leaves_no_tree(shell: Shell) -> None:
    process = shell(TREE)
    (child,) = psutil.Process(process.pid).children()
    with pytest.raises(RuntimeError, match="did not end"):
        stop_tree(process, grace=0.1)
    assert process.returncode == -signal.SIGKILL
    assert not is_running(child.pid)


@pytest.mark.parametrize("call", [terminate, kill])
def test_process_that_got_the_pid_of_a_reaped_worker_is_left_alone(
    call: Callable[..., None], start: Start, shell: Shell
) -> None:
    other = shell("sleep 60 & echo; wait")
    (stranger,) = (child.pid for child in psutil.Process(other.pid).children())
    process = start("fork").process
    number = process.pid
    process.kill()
    os.waitpid(number, 0)
    process._popen.pid = stranger
    call(process)
    assert is_running(stranger)
    assert stop(process, grace=0).code is None
    assert is_running(stranger)
    process._popen.pid = number
    os.kill(stranger, signal.SIGKILL)


@pytest.mark.parametrize("call", [stop, stop_tree])
def test_ctrl_c_before_the_first_signal_stops_the_process(
    call: Callable[..., object], shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = adapters.Adapter.find

    def interrupted(adapter: adapters.Adapter) -> Handle | None:
        signal.raise_signal(signal.SIGINT)
        return find(adapter)

    monkeypatch.setattr(adapters.Adapter, "find", interrupted)
    process = shell(IGNORE)
    with pytest.raises(KeyboardInterrupt):
        call(process)
    assert process.returncode == -signal.SIGKILL


def test_log_does_not_say_that_a_signal_was_sent_that_is_not_permitted(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "not permitted")

    process = shell(REST)
    with monkeypatch.context() as patch:
        patch.setattr(signal, "pidfd_send_signal", refuse, raising=False)
        patch.setattr(os, "kill", refuse)
        with pytest.raises(PermissionError):
            stop(process, grace=0.1)
    assert caplog.records == []
    assert stop(process) == TERMINATED


@pytest.mark.parametrize("tasks", [1, 3])
@pytest.mark.parametrize("call", ["stop", "stop_tree"])
def test_handler_that_raises_in_a_loop_gets_ctrl_c_back(call: str, tasks: int) -> None:
    """asyncio.run() takes its own handler of Ctrl-C back if that is in its place."""
    said = run(
        f"""
        import asyncio, signal, sys
        from process_terminate import aio
        def alarm(*_):
            raise TimeoutError
        signal.signal(signal.SIGALRM, alarm)
        async def start():
            child = await asyncio.create_subprocess_exec(
                "sh", "-c", sys.argv[1], stdout=-1
            )
            await child.stdout.readline()
            return child
        async def stop(child):
            try:
                await aio.{call}(child)
            finally:
                print(child.returncode)
        async def main():
            children = [await start() for _ in range({tasks})]
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            await asyncio.gather(*map(stop, children))
        try:
            asyncio.run(main())
        except TimeoutError:
            print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)
        """,
        IGNORE,
    )
    assert said == "-9\n" * tasks + "True\n"


def test_handlers_are_back_after_many_calls_that_overlapped() -> None:
    """At each moment one of them runs, so none begins with the handlers in place."""
    said = run(
        """
        import asyncio, signal, subprocess, sys
        from process_terminate import aio
        async def main():
            before = []
            for _ in range(300):
                child = subprocess.Popen(["sh", "-c", sys.argv[1]], stdout=-1)
                child.stdout.read(1)
                child.stdout.close()
                task = asyncio.create_task(aio.stop(child, grace=20))
                for _ in range(8):
                    await asyncio.sleep(0)
                for earlier, stopping in before:
                    earlier.kill()
                    await stopping
                before = [(child, task)]
            child.kill()
            await task
        sys.setrecursionlimit(250)  # A chain of handlers would be longer.
        asyncio.run(main())
        print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)
        """,
        IGNORE,
    )
    assert said == "True\n"


@pytest.mark.parametrize("generation", [0, 2])
def test_call_whose_loop_is_closed_in_another_thread_ends_and_passes_signals_on(
    generation: int,
) -> None:
    """The garbage collector may finalize generators before the older coroutine."""
    run(
        f"""
        import asyncio, gc, signal, subprocess, sys, threading
        from process_terminate import aio, stop
        gc.disable()
        stopping = aio.stopping
        def stopping_later(*arguments, **options):
            gc.collect({generation})
            return stopping(*arguments, **options)
        aio.stopping = stopping_later
        child = subprocess.Popen(["sh", "-c", sys.argv[1]], stdout=-1)
        child.stdout.readline()
        loop = asyncio.new_event_loop()
        task = loop.create_task(aio.stop(child, grace=30))
        loop.run_until_complete(asyncio.sleep(0.1))
        loop.close()
        task._log_destroy_pending = False
        kept = [task, loop]
        del task, loop
        thread = threading.Thread(target=lambda: (kept.clear(), gc.collect()))
        thread.start()
        thread.join(20)
        assert not thread.is_alive()
        assert child.poll() == -9
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            stop(subprocess.Popen(["sleep", "60"]))
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        """,
        IGNORE,
    )


def test_ctrl_c_is_that_of_python_after_a_loop_that_ended_during_a_call() -> None:
    said = run(
        """
        import asyncio, signal, subprocess, sys
        from process_terminate import aio
        child = subprocess.Popen(["sh", "-c", sys.argv[1]], stdout=-1)
        child.stdout.readline()
        async def main():
            global task
            task = asyncio.create_task(aio.stop(child, grace=20))
            await asyncio.sleep(0.1)
        asyncio.run(main())
        print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)
        """,
        IGNORE,
    )
    assert said == "True\n"


def test_ctrl_c_while_a_block_begins_leaves_nothing_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limit = resource.getrlimit(_RLIMIT_LOCKS)
    init = subprocess.Popen.__init__

    def interrupted(*_: object) -> list[object]:
        signal.raise_signal(signal.SIGINT)
        return []

    monkeypatch.setattr(table, "child_entries", interrupted)
    with pytest.raises(KeyboardInterrupt), no_orphans():
        pass
    assert resource.getrlimit(_RLIMIT_LOCKS) == limit
    assert subprocess.Popen.__init__ is init
    assert not subreaper.is_set()
    assert blocks.active == []


def test_process_that_a_handler_starts_while_a_block_ends_has_its_exit_code() -> None:
    said = run(
        """
        import signal, subprocess, sys
        from process_terminate import no_orphans
        started = []
        def start(*_):
            started.append(subprocess.Popen(["sleep", "60"]))
        signal.signal(signal.SIGALRM, start)
        with no_orphans(grace=1):
            child = subprocess.Popen(["sh", "-c", sys.argv[1]], stdout=-1)
            child.stdout.readline()
            signal.setitimer(signal.ITIMER_REAL, 0.2)
        print(started[0].wait(30))
        """,
        IGNORE,
    )
    assert said == "-15\n"


def test_cancellation_at_the_end_of_a_block_keeps_the_exit_codes() -> None:
    said = run(
        """
        import asyncio, sys
        from process_terminate import aio
        async def main():
            task = asyncio.current_task()
            async with aio.no_orphans(grace=5):
                global child
                child = await asyncio.create_subprocess_exec(
                    "sh", "-c", sys.argv[1], stdout=-1
                )
                await child.stdout.readline()
                asyncio.get_running_loop().call_later(0.05, task.cancel)
        for _ in range(20):
            try:
                asyncio.run(main())
            except asyncio.CancelledError:
                print(child.returncode)
        """,
        IGNORE,
    )
    assert set(said.split()) == {"-9"}


def test_block_at_the_end_of_a_loop_leaves_no_message_of_its_watcher() -> None:
    """Before Python 3.12 a thread for each process tells the loop that it is dead."""
    run("""
        import asyncio
        from process_terminate import aio
        async def main():
            async with aio.no_orphans():
                await asyncio.create_subprocess_exec("sleep", "60")
        for _ in range(50):
            asyncio.run(main())
    """)


@as_root
def test_children_are_stopped_if_proc_is_gone_at_the_end_of_a_block(
    tmp_path: Path,
) -> None:
    said = run(
        """
        import os, subprocess, sys
        from process_terminate import no_orphans
        try:
            with no_orphans():
                child = subprocess.Popen(["sh", "-c", sys.argv[2]], stdout=-1)
                child.stdout.readline()
                os.chroot(sys.argv[1])
        except RuntimeError as error:
            print(child.returncode, error)
        """,
        str(tmp_path),
        REST,
    )
    assert said.startswith("-15 no_orphans() needs to read the /proc")


def test_orphan_that_proc_hides_is_left_alone_if_it_may_be_anothers(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Such as sudo, which another thread starts during the call."""
    hidden = shell(IGNORE)
    monkeypatch.setattr(ending, "hidden_children", lambda: {hidden.pid})
    monkeypatch.setattr(Tree, "owns_orphans", False)
    stop_tree(shell(REST))
    assert is_running(hidden.pid)
    assert (
        f"left alone, as they may descend from an earlier child: pid {hidden.pid}"
        in (caplog.text)
    )


def test_gate_that_takes_handlers_back_beside_others_makes_no_circle(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As of one task that a handler has interrupted, while two others wait."""

    def handler(*_: object) -> None:
        raise ZeroDivisionError

    old = signal.signal(signal.SIGUSR1, handler)
    monkeypatch.setattr(gate, "_in_loop", lambda: True)
    first, second, third = gate.Gate(), gate.Gate(), gate.Gate()
    try:
        with first, second, third:
            first._arrived.append(signal.SIGUSR1)
            with pytest.raises(ZeroDivisionError), first.opened():
                pass
            with ExitStack() as all_opened, pytest.raises(ZeroDivisionError):  # noqa: PT012
                for each in first, second, third:
                    all_opened.enter_context(each.opened())
                signal.raise_signal(signal.SIGUSR1)
        assert signal.getsignal(signal.SIGUSR1) is handler
    finally:
        signal.signal(signal.SIGUSR1, old)


@pytest.mark.parametrize("is_permitted", [True, False])
def test_orphan_that_proc_hides_is_killed_or_named(
    shell: Shell, is_permitted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with hidepid, for a program that is setuid."""
    monkeypatch.setattr(Tree, "owns_orphans", True)
    hidden = shell(IGNORE)
    send = Handle.send

    def sent(handle: Handle, number: int) -> None:
        if handle.pid == hidden.pid and not is_permitted:
            handle.forbidden = True
        else:
            send(handle, number)

    monkeypatch.setattr(Handle, "send", sent)
    monkeypatch.setattr(ending, "hidden_children", lambda: {hidden.pid})
    process = shell(REST)
    if is_permitted:
        stop_tree(process)
        assert not psutil.pid_exists(hidden.pid)
    else:
        with pytest.raises(PermissionError, match=f"not permitted.*{hidden.pid}"):
            stop_tree(process)
        assert is_running(hidden.pid)


@pytest.mark.measured
def test_result_that_cannot_be_written_is_an_error_after_the_stop(shell: Shell) -> None:
    process = shell(REST)
    command = [sys.executable, "-m", "process_terminate", "stop", str(process.pid)]
    with Path("/dev/full").open("w") as full:
        done = completed(*command, stdout=full)
    said = "process-terminate: cannot write the result: No space left on device\n"
    assert (done.returncode, done.stderr) == (statuses.UNWRITTEN, said)
    assert process.wait(DEADLINE) == -signal.SIGTERM


@pytest.fixture
def setuid_sleep() -> Iterator[Path]:
    """A program that runs as root, whoever starts it."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)
        program = Path(folder, "sleep")
        shutil.copy(shutil.which("sleep") or "", program)
        program.chmod(0o4755)
        yield program


@can_mount
@pytest.mark.parametrize("hidepid", [1, 2])
@pytest.mark.parametrize("call", ["no_orphans", "stop_tree"])
def test_setuid_program_that_proc_hides_is_killed(
    call: str, hidepid: int, setuid_sleep: Path
) -> None:
    """Its real user may signal it."""
    shell = f"['sh', '-c', '{setuid_sleep} 60 >&- & echo $!; wait']"
    start = (
        f"root = subprocess.Popen({shell}, stdout=-1); print(root.stdout.readline())"
    )
    if call == "no_orphans":
        program = f"with no_orphans(grace=0.5):\n    {start}"
    else:
        program = f"{start}\nstop_tree(root, grace=0.5)"
    said = run_as_nobody(program, prefix=hiding(hidepid))
    assert not psutil.pid_exists(int("".join(filter(str.isdecimal, said))))


@pytest.mark.measured
@pytest.mark.parametrize("kind", ["a full pipe", "a full disk"])
def test_command_is_stopped_in_time_if_its_error_cannot_be_written(kind: str) -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with suppress(BlockingIOError):
        while kind == "a full pipe":
            os.write(writer, bytes(1 << 16))
    os.set_blocking(writer, True)
    with Path("/dev/full").open("w") as full:
        done = completed(
            *(sys.executable, "-m", "process_terminate"),
            *("run", "--timeout=0.2", "--", "sh", "-c", REST),
            stderr=writer if kind == "a full pipe" else full,
        )
    os.close(reader)
    os.close(writer)
    assert (done.returncode, done.stdout) == (statuses.TIMED_OUT, "\n")
