"""The functions in programs that change what is around them, each run for real."""

import shutil
import signal
import subprocess
import sys
import tempfile
from multiprocessing import Process
from pathlib import Path
from unittest import mock

import psutil
import pytest
from support import (
    IGNORE,
    Shell,
    as_root,
    can_mount,
    hiding,
    is_running,
    needs_pidfds,
    run,
    run_as_nobody,
    wait_until,
)

from process_terminate import no_orphans, stop, stop_tree

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="sends signals")


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGXCPU", "SIGRTMIN"])
def test_tree_is_not_left_stopped_if_its_killer_is_terminated(name: str) -> None:
    """The signal comes when the first process of the tree has got SIGSTOP."""
    program = """
        import os, signal, sys
        from process_terminate import stop_tree
        from process_terminate._tree.member import Member
        from workers import ready
        suspend = Member.suspend
        def suspend_and_signal(member):
            suspend(member)
            os.kill(os.getpid(), int(sys.argv[1]))
        Member.suspend = suspend_and_signal
        root = ready()
        print(root.pid, flush=True)
        stop_tree(root, grace=0)
    """
    number = signal.Signals[name].value
    pid = int(run(program, str(number), code=-number))
    wait_until(lambda: not is_running(pid))  # It is killed, and may be dying.


@pytest.mark.measured
def test_tree_is_not_stopped_first_where_a_signal_could_end_its_killer() -> None:
    """Only the main thread can hold back signals."""
    pid = run(
        """
        import os, signal, threading
        from process_terminate import stop_tree
        from process_terminate._tree.member import Member
        from workers import ready
        def suspend(member):
            os.kill(member.entry.pid, signal.SIGSTOP)
            os.kill(os.getpid(), signal.SIGTERM)
        Member.suspend = suspend
        root = ready()
        thread = threading.Thread(target=stop_tree, args=[root], kwargs={"grace": 0})
        thread.start()
        thread.join(30)
        print(root.pid, root.poll())
        """
    )
    assert pid.endswith(" -9\n")


def test_tree_is_not_left_stopped_if_the_one_beside_it_ends_first() -> None:
    """The second tree is stopped by SIGSTOP until the first has ended."""
    program = """
        import asyncio, logging, os, signal
        from process_terminate import aio
        from process_terminate._tree.member import Member
        from workers import ready
        logging.disable()
        first, second = ready(), ready()
        print(second.pid, flush=True)
        is_still, suspend, suspended = Member.is_still.fget, Member.suspend, set()
        def noted_suspend(member):
            suspend(member)
            suspended.add(member.entry.pid)
        def is_still_later(member):
            both = len(suspended) == 2
            is_first = member.entry.pid == first.pid
            turn = both if is_first else first.returncode is not None
            return is_still(member) and turn
        Member.suspend = noted_suspend
        Member.is_still = property(is_still_later)
        async def stop_first():
            await aio.stop_tree(first, grace=0.1)
            while len(suspended) < 2:  # On a slow machine it gave up waiting for both.
                await asyncio.sleep(0)
            os.kill(os.getpid(), signal.SIGTERM)
        async def main():
            await asyncio.gather(stop_first(), aio.stop_tree(second, grace=0.1))
        asyncio.run(main())
    """
    assert not is_running(int(run(program, code=-signal.SIGTERM)))


def test_handler_that_raises_at_the_end_of_a_block_waits_until_all_is_stopped() -> None:
    program = """
        import os, signal, subprocess
        from process_terminate import no_orphans
        from process_terminate._tree.blocks import LinuxBlock
        untag = LinuxBlock._untag
        def untag_and_signal(block):
            os.kill(os.getpid(), signal.SIGUSR1)
            untag(block)
        def leave(number, frame):
            raise RuntimeError("left")
        signal.signal(signal.SIGUSR1, leave)
        try:
            with no_orphans():
                inside = subprocess.Popen(["sleep", "60"])
                LinuxBlock._untag = untag_and_signal
        except RuntimeError as error:
            print(error, inside.returncode is not None)
    """
    assert run(program) == "left True\n"


def test_ctrl_c_during_a_handler_of_another_signal_ends_the_wait() -> None:
    program = """
        import signal
        from process_terminate import stop
        from workers import ready
        child = ready()
        signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        try:
            stop(child, grace=600)
        except KeyboardInterrupt:
            print(child.returncode)
    """
    assert run(program) == "-9\n"


def test_ctrl_c_ends_a_stop_within_a_handler_that_interrupted_a_stop() -> None:
    program = """
        import os, signal, threading
        from process_terminate import stop
        from workers import ready
        first, second = ready(), ready()
        def stop_second(*_):
            threading.Timer(0.1, os.kill, [os.getpid(), signal.SIGINT]).start()
            stop(second, grace=600)
        signal.signal(signal.SIGALRM, stop_second)
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        try:
            stop(first, grace=600)
        except KeyboardInterrupt:
            print(first.returncode, second.returncode)
    """
    assert run(program) == "-9 -9\n"


def test_processes_are_stopped_where_select_has_no_poll() -> None:
    """As in a program that eventlet has changed."""
    program = """
        import select
        del select.poll
        import multiprocessing, os, subprocess
        from process_terminate import no_orphans, stop, stop_tree
        print(stop(subprocess.Popen(["sleep", "60"])).code)
        print(stop_tree(subprocess.Popen(["sleep", "60"]))[0].status.code)
        with no_orphans():
            child = subprocess.Popen(["sleep", "60"])
        print(child.returncode)
    """
    assert run(program) == "-15\n-15\n-15\n"


def test_process_is_stopped_if_threading_knows_another_main_thread() -> None:
    program = """
        import _thread
        done = _thread.allocate_lock()
        done.acquire()
        def main():
            import subprocess
            from process_terminate import stop_tree
            child = subprocess.Popen(["sleep", "60"])
            print(stop_tree(child)[0].status.code, flush=True)
            done.release()
        _thread.start_new_thread(main, ())
        done.acquire()
    """
    assert run(program) == "-15\n"


def test_process_is_stopped_in_a_subinterpreter() -> None:
    """As in mod_wsgi."""
    program = """
        import sys
        try:
            import _interpreters as interpreters
        except ImportError:
            import _xxsubinterpreters as interpreters
        code = '''
        import subprocess
        from process_terminate import stop
        print(stop(subprocess.Popen(["sleep", "60"])).code, flush=True)
        '''.replace(" " * 8, "")
        old = sys.version_info < (3, 13)
        made = interpreters.create(isolated=False) if old else interpreters.create("legacy")
        error = interpreters.run_string(made, code)
        print(error.msg if error else "done")
        interpreters.destroy(made)
    """
    printed = run(program)
    if "does not support loading in subinterpreters" in printed:
        pytest.skip("psutil cannot be imported in a subinterpreter of this build")
    assert printed == "-15\ndone\n"


def test_child_of_asyncio_is_left_to_it_although_a_tracer_has_wrapped_popen() -> None:
    """A tracer such as Sentry may do that within the block."""
    program = """
        import asyncio, subprocess
        from process_terminate import aio
        from process_terminate._tree.blocks import active
        async def main():
            async with aio.no_orphans():
                init = subprocess.Popen.__init__
                subprocess.Popen.__init__ = lambda *a, **k: init(*a, **k)
                await asyncio.create_subprocess_exec("sleep", "60")
                subprocess.Popen(["sleep", "60"])
                subprocess.Popen.__init__ = init
                print([loop is not None for _, loop in active[0]._children._popens])
        asyncio.run(main())
    """
    assert run(program) == "[True, False]\n"


def test_aio_without_a_loop_of_asyncio_raises_before_it_does_anything() -> None:
    program = """
        import subprocess
        from process_terminate import aio, no_orphans
        child = subprocess.Popen(["sleep", "60"])
        calls = aio.stop(child), aio.stop_tree(child), aio.no_orphans().__aenter__()
        for call in calls:
            try:
                call.send(None)
            except RuntimeError as error:
                print(error)
        print(child.poll())
        with no_orphans():  # No other block is active.
            pass
        child.kill()
        child.wait(60)
    """
    message = (
        "process_terminate.aio needs an event loop of asyncio; with trio use: "
        "await trio.to_thread.run_sync(process_terminate.stop, process)\n"
    )
    assert run(program) == message * 3 + "None\n"


def test_process_of_psutil_is_stopped_when_no_file_descriptor_is_free() -> None:
    program = """
        import os, psutil, resource, subprocess
        from process_terminate import stop
        child = subprocess.Popen(["sleep", "60"])
        process = psutil.Process(child.pid)
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (os.dup(0) + 1, hard))
        print(stop(process).code)
    """
    assert run(program) == "-15\n"


def test_grace_period_ends_although_a_test_has_frozen_the_time() -> None:
    """As freezegun does: it replaces the function in every module that has it."""
    program = """
        import sys, time
        from process_terminate import no_orphans, stop, stop_tree
        from workers import ready
        real, frozen = time.monotonic, time.monotonic()
        for module in list(sys.modules.values()):
            for name, value in list(vars(module).items()):
                if value is real:
                    setattr(module, name, lambda: frozen)
        print(stop(ready(), grace=0.1).code)
        print(stop_tree(ready(), grace=0.1)[0].status.code)
        with no_orphans(grace=0.1):
            child = ready()
        print(child.returncode)
    """
    assert run(program) == "-9\n-9\n-9\n"


def test_process_is_stopped_although_a_test_has_replaced_os_close() -> None:
    """As pyfakefs does: its files have numbers of their own."""
    program = """
        import os, sys
        from process_terminate import stop
        from workers import ready
        child, real = ready("echo; exec sleep 60"), os.close
        def fake(fd):
            raise OSError(9, "Bad file descriptor")
        before = os.listdir("/proc/self/fd")
        os.close = fake
        code = stop(child).code
        os.close = real
        print(code, os.listdir("/proc/self/fd") == before)
    """
    assert run(program) == "-15 True\n"


@pytest.mark.parametrize("call", ["stop_tree(sleep())", "block()"])
def test_handlers_of_c_code_are_kept(call: str) -> None:
    """Python takes them for the default action, and could not set them again."""
    program = """
        import faulthandler, os, signal, subprocess, sys
        from process_terminate import no_orphans, stop_tree
        def sleep():
            return subprocess.Popen(["sleep", "60"])
        def block():
            with no_orphans():
                sleep()
        faulthandler.register(signal.SIGUSR1, open(os.devnull, "w"))
        eval(sys.argv[1])
        os.kill(os.getpid(), signal.SIGUSR1)
        print("alive")
    """
    assert run(program, call) == "alive\n"


def test_orphan_that_has_changed_its_limits_is_stopped() -> None:
    """As in a session of `su -`: the tag of the block is gone."""
    program = """
        import subprocess, sys
        from process_terminate import no_orphans
        daemon = (
            "import resource, subprocess; hard = resource.getrlimit(10)[1]\\n"
            "resource.setrlimit(10, (hard, hard))\\n"
            "print(subprocess.Popen(['sleep', '60'], start_new_session=True).pid, flush=True)"
        )
        with no_orphans():
            starter = subprocess.Popen([sys.executable, "-c", daemon], stdout=-1)
            pid = int(starter.stdout.readline())
            starter.wait()
        print(pid)
    """
    assert not is_running(int(run(program)))


def test_orphan_without_a_tag_is_stopped_if_only_the_tree_can_have_left_it() -> None:
    """A child that is being forked while its parent gets its tag has none either."""
    program = """
        import subprocess, sys
        from process_terminate import stop_tree
        late = (
            "import resource, time; hard = resource.getrlimit(10)[1]\\n"
            "resource.setrlimit(10, (hard, hard)); print(flush=True); time.sleep(60)"
        )
        code = (
            "import signal, subprocess, sys\\n"
            "def leave(number, frame):\\n"
            "    command = [sys.executable, '-c', sys.argv[1]]\\n"
            "    child = subprocess.Popen(command, stdout=-1, stderr=-3)\\n"
            "    child.stdout.readline()\\n"
            "    print(child.pid, flush=True)\\n"
            "    sys.exit()\\n"
            "signal.signal(signal.SIGTERM, leave)\\n"
            "print(flush=True)\\n"
            "signal.pause()"
        )
        root = subprocess.Popen([sys.executable, "-c", code, late], stdout=-1)
        root.stdout.readline()
        stop_tree(root)
        print(root.stdout.readline().decode(), root.returncode)
    """
    pid, code = map(int, run(program).split())
    assert (code, is_running(pid)) == (0, False)


def test_child_that_another_thread_forks_meanwhile_keeps_its_signals() -> None:
    """A handler in it, even for a moment, would lose what comes while it starts."""
    program = """
        import os, signal, threading
        from process_terminate import stop_tree
        from workers import ready
        def fork():
            root.stdout.readline()  # stop_tree() waits.
            pid = os.fork()
            if pid == 0:
                status = open("/proc/self/status").read()
                caught = int(status.partition("SigCgt:")[2].split()[0], 16)
                print(caught >> signal.SIGTERM - 1 & 1, flush=True)
                os._exit(0)
            os.waitpid(pid, 0)
        root = ready("trap 'echo' TERM; echo; while :; do sleep 0.05; done", stderr=-3)
        threading.Thread(target=fork).start()
        stop_tree(root, grace=0.5)
    """
    # From Python 3.12 on, os.fork() beside another thread warns.
    options = ("-W", "ignore::DeprecationWarning")
    assert run(program, options=options) == "0\n"


def test_worker_that_a_handler_starts_meanwhile_is_left_alone() -> None:
    """As a supervisor does that starts the next worker at SIGCHLD."""
    program = """
        import os, signal, subprocess
        from process_terminate import stop_tree
        def sleep():
            return subprocess.Popen(["sleep", "60"])
        started = []
        def replace(number, frame):
            if not started:
                started.append(sleep())
        first = sleep()
        signal.signal(signal.SIGCHLD, replace)
        stop_tree(first)
        print(first.returncode, started[0].poll())
        started[0].kill()
    """
    assert run(program) == "-15 None\n"


def test_process_that_a_thread_starts_meanwhile_is_left_alone() -> None:
    """One that `threading` does not know, and that has ended when the next scan looks."""
    program = """
        import _thread, logging, subprocess, time
        from process_terminate import stop_tree
        from workers import ready
        root = ready()
        started = []
        def start():
            time.sleep(0.1)
            started.append(subprocess.Popen(["sleep", "60"], stderr=-3))
        _thread.start_new_thread(start, ())
        logging.disable()  # It had to kill.
        stop_tree(root, grace=1)
        print(started[0].poll())
        started[0].kill()
    """
    assert run(program) == "None\n"


@pytest.mark.measured
@pytest.mark.parametrize(("reaper", "code"), [("SIG_IGN", None), ("SIG_DFL", 255)])
def test_code_255_of_asyncio_is_true_unless_another_one_reaps(
    reaper: str, code: "int | None"
) -> None:
    """For asyncio 255 is the code of a child that it could not reap."""
    program = """
        import asyncio, logging, signal, sys
        from process_terminate import aio
        logging.disable()  # asyncio warns of it.
        signal.signal(signal.SIGCHLD, getattr(signal, sys.argv[1]))
        async def main():
            command = ["sh", "-c", sys.argv[2]]
            child = await asyncio.create_subprocess_exec(*command, stdout=-1)
            await child.stdout.readline()
            print((await aio.stop(child)).code)
        asyncio.run(main())
    """
    script = "trap 'exit 255' TERM; echo; while :; do sleep 0.05; done"
    assert run(program, reaper, script) == f"{code}\n"


def test_id_of_a_thread_is_not_taken_for_a_process() -> None:
    code = (
        "import threading; thread = threading.Thread(target=input)\n"
        "thread.start(); print(thread.native_id, flush=True)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as program:
        assert program.stdout
        tid = int(program.stdout.readline())
        try:
            for call in stop, stop_tree:
                with pytest.raises(
                    ValueError, match=f"a thread of process {program.pid}"
                ):
                    call(psutil.Process(tid))
            assert program.poll() is None
        finally:
            program.kill()


def test_process_is_dead_before_the_log_tells_of_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, shell: Shell
) -> None:
    """A handler of the log may wait for the process, such as one that reads a pipe."""
    alive = []
    for call in stop, stop_tree:
        process = shell(IGNORE)
        emit = lambda _, p=process: alive.append(is_running(p.pid))  # noqa: E731
        monkeypatch.setattr(caplog.handler, "emit", emit)
        call(process, grace=0.1)
    assert alive == [False, False]


@as_root
@pytest.mark.parametrize("call", ["no_orphans", "stop_tree"])
def test_orphan_whose_program_is_setgid_is_stopped(call: str) -> None:
    """Such as ssh-agent: the system does not let others read its limits."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        program = Path(folder, "sleep")
        shutil.copy(shutil.which("sleep") or "", program)
        Path(folder).chmod(0o755)
        program.chmod(0o2755)
        # The shell says the pid of its orphan when that runs its own program, or was
        # stopped before, on a slow machine.
        runs = "grep -q 'sleep\\|) Z' /proc/$!/stat || ! [ -e /proc/$! ]"
        start = f"{program} 60 & until {runs}; do :; done; echo $!"
        if call == "no_orphans":
            code = (
                "with no_orphans(grace=2):\n"
                f"    print(subprocess.check_output(['sh', '-c', {start!r}]))"
            )
        else:
            trap = f'trap "{start}; exit" TERM; echo; while :; do sleep 0.1; done'
            trap = trap.replace("$", "\\$")
            code = (
                f"root = subprocess.Popen(['sh', '-c', {trap!r}], stdout=-1)\n"
                "root.stdout.readline(); stop_tree(root, grace=20)\n"
                "print(root.stdout.readline())"
            )
        said = run_as_nobody(code.replace("sleep 60 &", "sleep 60 >&- &"))
        pid = int("".join(filter(str.isdecimal, said)))
        assert not psutil.pid_exists(pid)


@can_mount
def test_process_of_psutil_is_stopped_if_proc_hides_the_ancestors() -> None:
    """Until the child has finished exec(), psutil does not see it either."""
    program = """
        child = workers.ready("echo; read x", stdin=-1)
        print(stop(psutil.Process(child.pid)).code)
    """
    assert run_as_nobody(program, hiding(1)) == "-15\n"


@pytest.mark.parametrize(
    "kind", [Process, psutil.Popen, psutil.Process, subprocess.Popen]
)
def test_stop_refuses_the_mock_of_a_process(kind: type) -> None:
    """As a pid, a MagicMock counts as 1."""
    with pytest.raises(TypeError, match="the pid of a process must be an integer"):
        stop(mock.MagicMock(spec=kind))


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("os.kill", marks=needs_pidfds),
        *("psutil.Popen", "psutil.Process", "signal.signal", "subprocess.Popen"),
    ],
)
def test_processes_are_stopped_where_a_test_has_patched(name: str) -> None:
    started = subprocess.Popen
    with mock.patch(name):
        assert stop(started(["sleep", "60"])).code == -signal.SIGTERM
        assert stop_tree(started(["sleep", "60"]))[0].status.code == -signal.SIGTERM
        with no_orphans():
            process = started(["sleep", "60"])
    assert process.returncode == -signal.SIGTERM
