"""stop_tree(): a tree is stopped as a whole, and no other process is."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from hostile import OUT_OF_REACH, survivors_of, trees
from support import (
    DEADLINE,
    IGNORE,
    METHODS,
    NAMESPACE,
    REST,
    TREE,
    Shell,
    Start,
    as_process_1,
    can_mount,
    environment,
    fail,
    forbid,
    hiding,
    is_running,
    run,
    run_as_nobody,
    succeeds,
    unreaped,
    wait_until,
)

from process_terminate import ExitStatus, stop_tree
from process_terminate._process import table
from process_terminate._process.handle import Handle
from process_terminate._process.table import Entry
from process_terminate._tree import ending as tree_ending

resource = pytest.importorskip("resource", reason="sets limits of the system")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

LOCKS = 10  # RLIMIT_LOCKS
NO_TAGS = "import resource; resource.setrlimit(10, (5, 5))\n"


def children(process: "subprocess.Popen[bytes]", count: int = 1) -> list[int]:
    """Return the pids of the `sleep`s of a shell, which are copies of it first."""

    def found() -> list[psutil.Process]:
        below = psutil.Process(process.pid).children(recursive=True)
        return below if [p.name() for p in below].count("sleep") >= count else []

    return [process.pid for process in wait_until(found)]


@pytest.mark.parametrize("tree", sorted(set(trees()) - OUT_OF_REACH))
def test_stop_tree_leaves_no_survivor_of_a_hostile_tree(tree: str) -> None:
    assert survivors_of(tree, lambda root: stop_tree(root, grace=0.1)) == 0


@pytest.mark.parametrize(
    "stop",
    ["stop_tree(root, grace=60)", "stop_all([root], grace=60)"],
)
def test_second_ctrl_c_does_not_interrupt_the_kill(stop: str) -> None:
    """It arrives after the first one has ended the wait."""
    program = f"""
        import os, signal, threading
        from process_terminate import *
        from process_terminate._process import ending
        from process_terminate._tree import ending as tree_ending
        from workers import ready

        noted = ending.noted

        def interrupt():
            os.kill(os.getpid(), signal.SIGINT)

        def noted_and_interrupted(error, steps):
            interrupt()
            return noted(error, steps)

        ending.noted = tree_ending.noted = noted_and_interrupted
        root = ready()
        threading.Timer(0.3, interrupt).start()
        try:
            {stop}
        except KeyboardInterrupt:
            print(root.returncode)
    """
    assert run(program) == "-9\n"


@pytest.mark.parametrize("stop", ["stop_tree(root, grace=60)", "leave()"])
def test_tree_that_interrupts_its_stopper_is_killed(stop: str) -> None:
    """With Ctrl-C in each millisecond, so at each step."""
    program = f"""
        from hostile import survivors_of
        from process_terminate import *

        def stop(root):
            try:
                {stop}
            except KeyboardInterrupt:
                print("interrupted")

        def leave():
            block.__exit__(None, None, None)

        with no_orphans(grace=60):  # Blocks may be nested.
            block = no_orphans(grace=60)
            block.__enter__()
            print(survivors_of("interrupts", stop))
            if {stop.startswith("stop_tree")}:
                leave()
    """
    assert run(program) == "interrupted\n0\n"


@as_process_1
def test_stop_tree_finds_descendants_with_lower_pids_than_their_parents() -> None:
    """As after pids have started again at the lowest."""
    program = """
        import os, subprocess, sys
        import psutil
        from process_terminate import stop_tree

        tree = '''
        import os, time
        for _ in range(2):
            if os.fork() == 0:
                with open("/proc/sys/kernel/ns_last_pid", "w") as last:
                    last.write("400")
                for _ in range(3):  # A chain, whose pids rise again.
                    if os.fork():
                        break
                break
        os.write(1, b".")
        time.sleep(60)
        '''
        with open("/proc/sys/kernel/ns_last_pid", "w") as last:
            last.write("20000")
        root = subprocess.Popen([sys.executable, "-c", tree], stdout=subprocess.PIPE)
        seen = 0
        while seen < 9:
            seen += len(os.read(root.stdout.fileno(), 9))
        found = psutil.Process(root.pid).children(recursive=True)
        print(sum(process.pid < root.pid for process in found) > 0)
        print(len(stop_tree(root, grace=5)))
        print(sum(process.is_running() for process in found))
    """
    assert run(program, prefix=NAMESPACE) == "True\n9\n0\n"


@pytest.mark.usefixtures("has_tags")
def test_stop_tree_returns_how_each_process_ended(shell: Shell) -> None:
    root = shell(TREE)
    (child,) = children(root)
    found = stop_tree(root, grace=0.2)
    assert [(p.pid, p.name, p.signal, p.status.code) for p in found] == [
        (root.pid, "sh", signal.SIGKILL, -9),
        (child, "sleep", signal.SIGKILL, -9),
    ]
    assert root.returncode == -9


def test_stop_tree_sends_the_first_signal_that_is_given(shell: Shell) -> None:
    root = shell("trap 'exit 7' USR1; echo; while :; do sleep 0.05; done")
    found = stop_tree(root, grace=DEADLINE, signal=signal.SIGUSR1)
    assert found[0].status == ExitStatus(7)
    assert found[0].signal == signal.SIGUSR1


def test_stop_tree_without_grace_sends_sigkill_alone(shell: Shell) -> None:
    root = shell(TREE)
    children(root)
    assert {p.signal for p in stop_tree(root, grace=0)} == {signal.SIGKILL}


def test_stop_tree_continues_a_stopped_member(shell: Shell) -> None:
    root = shell("sleep 60 & echo; wait")
    (child,) = children(root)
    os.kill(child, signal.SIGSTOP)
    found = stop_tree(root, grace=DEADLINE)
    assert {p.signal for p in found} == {signal.SIGTERM}


@pytest.mark.parametrize("reaped", [False, True])
def test_stop_tree_of_a_dead_process_returns_its_status(reaped: bool) -> None:
    root = unreaped("exit 3")
    if reaped:
        root.wait()
    (found,) = stop_tree(root)
    assert (found.signal, found.status) == (None, ExitStatus(3))


@pytest.mark.parametrize("method", METHODS)
def test_stop_tree_of_a_worker_stops_its_children(method: str, start: Start) -> None:
    worker = start(method, "fork_a_child")
    grandchild = worker.report()
    stop_tree(worker.process, grace=2)
    assert worker.code() == -signal.SIGTERM
    wait_until(lambda: not psutil.pid_exists(grandchild))


def test_stop_tree_finds_more_processes_than_there_are_descriptors() -> None:
    program = """
        import resource, subprocess, sys, process_terminate as p
        resource.setrlimit(resource.RLIMIT_NOFILE, (120, 120))
        many = "import os, time\\nfor _ in range(200):\\n" \\
            "  if not os.fork(): time.sleep(60)\\nprint(flush=True); time.sleep(60)"
        root = subprocess.Popen([sys.executable, "-c", many], stdout=subprocess.PIPE)
        root.stdout.readline()
        print(len(p.stop_tree(root, grace=5)))
    """
    assert run(program) == "201\n"


@pytest.mark.parametrize("call", ["stop_tree", "no_orphans"])
def test_tree_is_stopped_if_no_descriptor_is_free(call: str) -> None:
    """Reading /proc takes some."""
    program = f"""
        import resource
        from process_terminate import *
        from workers import ready
        with no_orphans() if {call == "no_orphans"} else open("/dev/null"):
            root = ready("sleep 60 & echo; wait")
            resource.setrlimit(resource.RLIMIT_NOFILE, (3, 200))
            if {call == "stop_tree"}:
                stop_tree(root)
        print(root.stdout.read(), root.poll() in (0, -15))
        print(resource.getrlimit(resource.RLIMIT_NOFILE))
    """
    assert run(program) == "b'' True\n(3, 200)\n"


def test_pool_is_stopped_if_no_descriptor_is_free() -> None:
    """A worker of a forkserver is no child, so it is found in /proc."""
    program = """
        import multiprocessing, resource, time
        from process_terminate import stop_pool
        pool = multiprocessing.get_context("forkserver").Pool(1)
        pool.apply(int)
        pool.apply_async(time.sleep, [60])
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, 200))
        print(len(stop_pool(pool)))
        resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))
    """
    assert run(program) == "1\n"


@pytest.mark.parametrize(
    "call", ["stop_tree(root)", "stop(process)", "no_orphans().__enter__()"]
)
def test_call_is_refused_if_no_descriptor_can_be_had(call: str) -> None:
    """Before any signal."""
    program = f"""
        import psutil, resource
        from process_terminate import *
        from workers import ready
        root = ready()
        process = psutil.Process(root.pid)
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
        try:
            {call}
        except OSError as error:
            print(error)
        print(root.poll())
        root.kill()
    """
    message = "[Errno 24] no file descriptor is free to read /proc: close files, or "
    assert run(program) == f"{message}raise the limit (ulimit -n)\nNone\n"


def test_block_stops_its_children_if_no_descriptor_can_be_had() -> None:
    program = """
        import resource
        from process_terminate import no_orphans
        from workers import ready
        try:
            with no_orphans():
                root = ready("echo; exec sleep 60")
                resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
        except OSError as error:
            print(error.errno)
        print(root.poll())
    """
    assert run(program) == "24\n-15\n"


# Innocent processes.


LAUNCHERS = {
    "started before": "sleep 60 & echo; sleep 0.3",
    "started during": "echo; sleep 0.2; sleep 60 & sleep 0.1",
    "in a session of its own": "echo; sleep 0.2; setsid sleep 60 & sleep 0.4",
}


@pytest.mark.usefixtures("has_tags")
@pytest.mark.parametrize("launcher", LAUNCHERS.values(), ids=LAUNCHERS)
def test_stop_tree_leaves_the_orphan_of_another_child_alone(
    launcher: str, shell: Shell
) -> None:
    """The orphan comes to this process, as that is child subreaper."""
    other = shell(launcher)
    root = shell(IGNORE)
    stop_tree(root, grace=1)
    other.wait(DEADLINE)
    orphans = [p for p in psutil.process_iter() if is_sleep_of(p, other)]
    assert orphans
    for orphan in orphans:
        orphan.kill()


def test_stop_tree_leaves_an_orphan_alone_that_appears_while_it_looks(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without tags: its parent is dead when that is looked at."""
    root = shell(REST)
    command = ["sh", "-c", "read x; exec >&-; setsid sleep 60 & echo $! >&2"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stderr=subprocess.PIPE
    ) as other:
        all_pids = table.all_pids
        orphans: list[psutil.Process] = []

        def all_pids_and_an_orphan() -> list[int]:
            pids = all_pids()
            if not orphans:
                assert other.stdin
                assert other.stderr
                other.stdin.write(b"\n")
                other.stdin.close()
                orphans.append(psutil.Process(int(other.stderr.readline())))
                os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)
            return pids

        monkeypatch.delattr(resource, "prlimit")
        monkeypatch.setattr(table, "all_pids", all_pids_and_an_orphan)
        stop_tree(root)
        assert is_running(orphans[0].pid)
        orphans[0].kill()


def is_sleep_of(process: psutil.Process, shell: "subprocess.Popen[bytes]") -> bool:
    """Return whether a process writes to the pipe that a shell had."""
    try:
        if process.name() != "sleep" or process.status() == psutil.STATUS_ZOMBIE:
            return False
        assert shell.stdout
        pipe = os.fstat(shell.stdout.fileno()).st_ino
        return any(Path(fd).stat().st_ino == pipe for fd in fds(process.pid))
    except (psutil.Error, OSError):
        return False


def fds(pid: int) -> Iterator[str]:
    """Return the paths of the open files of a process."""
    return map(str, Path(f"/proc/{pid}/fd").iterdir())


def test_stop_tree_finds_orphans_beside_a_tracker_and_a_dead_child() -> None:
    """Without tags: neither of the two, nor a forkserver, can have left the orphan."""
    program = """
        import logging, multiprocessing, os, psutil, resource, subprocess
        from io import StringIO
        from multiprocessing import resource_tracker
        from process_terminate import stop_tree
        from workers import ready

        logging.basicConfig(level=logging.DEBUG, stream=StringIO())
        resource.setrlimit(10, (5, 5))  # No tags.
        resource_tracker.ensure_running()
        worker = multiprocessing.get_context("forkserver").Process(target=list)
        worker.start()
        worker.join()
        dead = subprocess.Popen(["true"])
        os.waitid(os.P_PID, dead.pid, os.WEXITED | os.WNOWAIT)
        root = ready("trap 'sleep 60 & exit' TERM; echo; while :; do sleep .01; done 2>&1")
        stop_tree(root, grace=5)
        print("sleep" in [p.name() for p in psutil.Process().children()], dead.wait())
    """
    assert run(program) == "False 0\n"


@pytest.mark.usefixtures("has_tags")
def test_stop_tree_leaves_what_another_thread_starts_alone(shell: Shell) -> None:
    """A caller with a second thread."""
    others: list[subprocess.Popen[bytes]] = []
    root = shell(IGNORE)
    done = threading.Event()

    def start_others() -> None:
        while not done.wait(0.02):
            others.append(shell(REST))

    thread = threading.Thread(target=start_others)
    thread.start()
    try:
        stop_tree(root, grace=0.3)
    finally:
        done.set()
        thread.join(DEADLINE)
    assert {other.poll() for other in others} == {None}


@pytest.mark.parametrize("limit", ["", NO_TAGS], ids=["tags", "no_tags"])
def test_stop_tree_leaves_what_a_handler_of_the_log_starts_alone(limit: str) -> None:
    """It has lost its parent and has no tag, as an orphan of the tree may have."""
    program = """
        import logging, psutil
        from process_terminate import stop_tree
        from workers import ready
        class Starting(logging.Handler):
            def emit(self, record):
                if f"SIGTERM to pid {root.pid}" in record.getMessage():
                    psutil.Popen(["sh", "-c", "sleep 60 & exit"]).wait()
        log = logging.getLogger("process_terminate")
        log.setLevel(logging.DEBUG)
        log.addHandler(Starting())
        root = ready()
        stop_tree(root, grace=0.3)
        left = psutil.Process().children()
        print([process.name() for process in left])
        for process in left:
            process.kill()
    """
    assert run(limit + textwrap.dedent(program)) == "['sleep']\n"


REPLACED = """
import os, signal, sys, time
def replace(*_):
    if os.fork():
        os._exit(0)
def work():
    signal.signal(signal.SIGTERM, replace)
    os.write(1, b".")
    while True:
        time.sleep(60)
for _ in range(3):
    if os.fork() == 0:
        work()
signal.signal(signal.SIGTERM, replace)
while True:
    time.sleep(60)
"""


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("mine", [True, False])
def test_stop_tree_finds_replaced_workers(threads: int, mine: bool) -> None:
    """Beside a thread, and of a tree that is not the caller's."""
    program = f"""
        import os, psutil, subprocess, sys, threading, time
        from process_terminate import stop_tree
        done = threading.Event()
        if {threads} > 1:
            threading.Thread(target=done.wait, args=(60,)).start()
        command = [sys.executable, "-c", {REPLACED!r} + f"# {{os.getpid()}}"]
        start = [] if {mine} else ["setsid", "sh", "-c", '"$@" & wait', "sh"]
        root = subprocess.Popen(start + command, stdout=subprocess.PIPE)
        for _ in range(3):
            root.stdout.read(1)
        if {mine}:
            stop_tree(root, grace=0.3)
        else:
            (tree,) = psutil.Process(root.pid).children()
            console = [sys.executable, "-c", "import sys, psutil, process_terminate;"
                "process_terminate.stop_tree(psutil.Process(int(sys.argv[1])), grace=.3)"]
            subprocess.run([*console, str(tree.pid)], check=True)
        done.set()
        left = [p for p in psutil.process_iter(["cmdline"])
                if p.info["cmdline"] == command and p.status() != "zombie"]
        print(len(left))
        for process in left:
            process.kill()
        root.wait(10)
    """
    assert run(program) == "0\n"


# Interruptions.


@pytest.mark.parametrize("round_", range(8))
def test_exception_at_any_moment_leaves_no_member_alive(round_: int) -> None:
    """Nothing is left in state T either."""
    program = """
        import signal, subprocess, sys, time, psutil
        from process_terminate import stop_tree
        from workers import ready
        def fail(_, frame):
            while frame and frame.f_code.co_name != "stop_tree":
                frame = frame.f_back
            if frame:  # On a busy machine it may go off outside of the call.
                raise ZeroDivisionError
        signal.signal(signal.SIGALRM, fail)
        root = ready("trap '' TERM; for i in $(seq 30); do sleep 60 & done; echo; wait")
        tree = psutil.Process(root.pid).children()
        stop_tree(subprocess.Popen(["sleep", "60"]))  # All is imported now.
        signal.setitimer(signal.ITIMER_REAL, float(sys.argv[1]), 0.01)
        stopped = False
        while True:  # The timer goes off again and again.
            try:
                if not stopped:
                    stopped = True
                    stop_tree(root, grace=float(sys.argv[2]))
                signal.setitimer(signal.ITIMER_REAL, 0)
                break
            except ZeroDivisionError:
                pass
        _, alive = psutil.wait_procs(tree, 5)
        left = [p.status() for p in alive if p.status() != "zombie"]
        print(left in ([], ["sleeping"] * 30), left)  # All, if it came before the call.
        for p in alive:
            p.kill()
    """
    moment, grace = (0.004 * (round_ + 1), 0) if round_ < 4 else (0.1 * round_, 0.45)
    assert run(program, str(moment), str(grace)).startswith("True")


def test_member_that_may_not_be_signaled_is_named_and_the_others_are_killed(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = shell("trap '' TERM; sleep 60 & sleep 60 & echo; wait")
    refused, other = children(root, 2)
    with monkeypatch.context() as patch:
        forbid(patch, refused)
        with pytest.raises(PermissionError, match=f"pid {refused} "):
            stop_tree(root, grace=0.1)
    assert root.returncode == -9
    assert is_running(refused)
    assert not psutil.pid_exists(other)
    os.kill(refused, signal.SIGKILL)


def test_stop_tree_gives_up_on_a_tree_that_does_not_stop_growing(
    monkeypatch: pytest.MonkeyPatch, shell: Shell
) -> None:
    monkeypatch.setattr(tree_ending, "_FREEZE_WAIT", 0)
    monkeypatch.setattr(tree_ending, "_ROUNDS", 2)
    root = shell(REST)
    with pytest.raises(TimeoutError, match="faster than they can be killed, 2 times"):
        stop_tree(root, grace=0)
    assert root.wait(DEADLINE) == -9


def test_error_while_the_tree_is_killed_leaves_no_member_stopped(
    monkeypatch: pytest.MonkeyPatch, shell: Shell
) -> None:
    """As one that another thread raises in this one."""
    root = shell("trap '' TERM; for i in 1 2 3; do sleep 60 & done; echo; wait")
    found = [psutil.Process(pid) for pid in children(root, 3)]
    send, errors = Handle.send, [ZeroDivisionError()]

    def send_or_fail(handle: Handle, number: signal.Signals) -> None:
        if number == signal.SIGKILL and errors:
            raise errors.pop()
        send(handle, number)

    monkeypatch.setattr(Handle, "send", send_or_fail)
    with pytest.raises(ZeroDivisionError):
        stop_tree(root, grace=0)
    wait_until(lambda: not any(map(psutil.Process.is_running, found)))


@as_process_1
@pytest.mark.parametrize("limit", ["(5, 5)", "(5, -1)"])
def test_process_1_leaves_the_orphan_of_a_stranger_alone(limit: str) -> None:
    """As that of a `docker exec`; with tags (5, -1) and without."""
    program = f"""
        import psutil, resource, subprocess, time
        from process_terminate import no_orphans
        resource.setrlimit(10, {limit})
        with no_orphans():
            print("enter", flush=True)
            while not [p for p in psutil.Process().children() if p.name() == "sleep"]:
                time.sleep(0.01)
            child = subprocess.Popen(["sleep", "61"])
        print([p.cmdline() for p in psutil.Process().children()], child.returncode)
    """
    with subprocess.Popen(
        [*NAMESPACE, sys.executable, "-c", textwrap.dedent(program)],
        stdout=subprocess.PIPE,
        env=environment(),
        text=True,
    ) as init:
        assert init.stdout
        assert init.stdout.readline() == "enter\n"
        (first,) = psutil.Process(init.pid).children()
        enter = ["nsenter", "-t", str(first.pid), "-p", "sh", "-c", "(sleep 60 &)"]
        assert succeeds(*enter)
        assert init.stdout.read() == "[['sleep', '60']] -15\n"


# Resource trackers.

SHARES = """
import signal, sys, time
from multiprocessing.shared_memory import SharedMemory
if sys.argv[1] == "ignore":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(SharedMemory(create=True, size=1 << 12).name, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize(
    ("mood", "grace", "number"),
    [
        ("polite", 5, signal.SIGTERM),
        ("polite", 0, signal.SIGTERM),
        ("ignore", 0.5, signal.SIGTERM),
        ("polite", 5, signal.SIGHUP),
    ],
)
def test_shared_memory_of_a_stopped_tree_is_removed(
    mood: str, grace: float, number: signal.Signals
) -> None:
    """The tracker is the last to end."""
    command = [sys.executable, "-c", SHARES, mood]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as root:
        assert root.stdout
        segment = Path("/dev/shm", root.stdout.readline().strip())  # noqa: S108
        assert segment.exists()
        (tracker,) = psutil.Process(root.pid).children()
        wait_until(lambda: "resource_tracker" in " ".join(tracker.cmdline()))
        before = time.monotonic()
        stop_tree(root, grace=grace, signal=number)
        assert time.monotonic() - before < grace + 6
        wait_until(lambda: not segment.exists())


@pytest.mark.parametrize("grace", [0, 5])
def test_tracker_that_does_not_end_is_killed(grace: float) -> None:
    ignoring = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    waiting = "print(flush=True); time.sleep(60)  # resource_tracker import main"
    command = [sys.executable, "-c", ignoring + waiting]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as root:
        assert root.stdout
        root.stdout.readline()
        (found,) = stop_tree(root, grace=grace)
    assert found.signal == signal.SIGKILL


# Where it cannot work.


@as_process_1
@pytest.mark.parametrize("call", ["stop_tree", "no_orphans"])
@pytest.mark.parametrize(
    "command",
    [
        ["unshare", "-m", "sh", "-c", 'umount -l /proc && exec "$@"', "sh"],
        ["unshare", "-p", "-f"],
    ],
    ids=["no /proc", "that of another namespace"],
)
def test_call_without_its_own_proc_says_so_and_sends_nothing(
    call: str, command: list[str]
) -> None:
    """stop() works there."""
    program = f"""
        import subprocess, psutil
        from process_terminate import *
        root = subprocess.Popen(["sleep", "60"])
        try:
            stop_tree(root) if {call == "stop_tree"} else no_orphans().__enter__()
        except RuntimeError as error:
            print(error)
        print(root.poll(), stop(root))
    """
    assert run(program, prefix=command).splitlines() == [
        f"{call}() needs to read the /proc of this process's own pid namespace: mount "
        "it and permit that, or use stop_all() for processes that you started yourself",
        "None killed by SIGTERM (15); a shell shows 143",
    ]


@as_process_1
def test_process_that_has_the_pid_in_another_namespace_is_left_alone() -> None:
    """Here psutil sees the shell with the pid 3, but the kernel means its child."""
    program = """
        import psutil, subprocess, sys
        from process_terminate import diagnose, stop
        shell = subprocess.Popen(["sh", "-c", "sleep 60 & echo $!; wait"], stdout=-1)
        pid = int(shell.stdout.readline())
        for call in (lambda: stop(psutil.Process(pid)), lambda: diagnose(pid)):
            try:
                call()
            except RuntimeError as error:
                print(error)
        command = [sys.executable, "-m", "process_terminate", "stop", str(pid)]
        print(subprocess.run(command, stderr=-1).returncode)
        print(stop(shell, grace=0))
    """
    namespace = ["unshare", "--pid", "--fork"]
    said = run(program, prefix=[*namespace, "--mount-proc", *namespace])
    needs = "() needs to read the /proc of this process's own pid namespace: "
    assert [line.partition(needs)[:2] for line in said.splitlines()] == [
        ("stop", needs),
        ("diagnose", needs),
        ("4", ""),
        ("killed by SIGKILL (9); a shell shows 137", ""),
    ]


@as_process_1
@can_mount
def test_process_that_psutil_sees_in_the_proc_of_a_host_is_refused(
    tmp_path: Path,
) -> None:
    """An agent in a container that watches the host sets psutil.PROCFS_PATH."""
    program = """
        import psutil, subprocess, sys
        from process_terminate import diagnose, stop, stop_tree
        shell = subprocess.Popen(["sh", "-c", "sleep 60 & echo $!; wait"], stdout=-1)
        pid = int(shell.stdout.readline())
        psutil.PROCFS_PATH = sys.argv[1]
        for call in (stop, stop_tree, diagnose):
            try:
                call(psutil.Process(pid))
            except RuntimeError as error:
                print(error)
        psutil.PROCFS_PATH = "/proc"
        print(psutil.Process(pid).status() != "zombie", stop(shell))
    """
    mount = f'mount --rbind /proc {tmp_path}; mount -t proc proc /proc; exec "$@"'
    host = ["unshare", "--pid", "--fork", "--mount", "sh", "-c", mount, "sh"]
    refused = (
        f"psutil reads the pids of another pid namespace in {tmp_path}; set "
        "psutil.PROCFS_PATH to '/proc' before you look for processes to "
    )
    assert run(program, str(tmp_path), prefix=[*NAMESPACE, *host]).splitlines() == [
        f"{refused}stop",
        f"{refused}stop",
        f"{refused}diagnose",
        "True killed by SIGTERM (15); a shell shows 143",
    ]


@can_mount
@pytest.mark.parametrize("hidepid", [1, 2])
@pytest.mark.parametrize("call", ["stop_tree", "no_orphans"])
def test_processes_of_others_need_not_be_readable(hidepid: int, call: str) -> None:
    program = f"""
        if {call == "stop_tree"}:
            root = subprocess.Popen(["sh", "-c", "sleep 60 & wait"])
            stop_tree(root, grace=0)
        else:
            with no_orphans(grace=0):
                root = subprocess.Popen(["sh", "-c", "sleep 60 & wait"])
        print(root.returncode)
    """
    assert run_as_nobody(program, hiding(hidepid)) == "-9\n"


@pytest.mark.parametrize("looks", [3, 10**6])
def test_stop_tree_of_a_hidden_process_waits_for_it_or_raises(
    looks: int, shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with hidepid: briefly during exec(), or always, if it is another user's."""
    root = shell(REST)
    read = table._read_stat
    hidden = iter(range(looks))

    def hide(pid: int) -> Entry | None:
        if pid == root.pid and next(hidden, None) is not None:
            return None
        return read(pid)

    monkeypatch.setattr(table, "_read_stat", hide)
    if looks == 3:
        assert [p.status for p in stop_tree(root)] == [ExitStatus(-15)]
    else:
        with pytest.raises(PermissionError, match=f"/proc hides pid {root.pid}"):
            stop_tree(root)
        assert root.poll() is None


def test_process_that_may_not_be_signaled_can_be_hidden(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(table, "_read_stat", lambda _: None)
    monkeypatch.setattr(os, "kill", fail(PermissionError))
    assert table.is_hidden(os.getppid())


@pytest.mark.parametrize("relative", [os.getpid, os.getppid])
def test_stop_tree_refuses_the_caller_and_its_ancestors(
    relative: Callable[[], int],
) -> None:
    with pytest.raises(ValueError, match="calling process"):
        stop_tree(psutil.Process(relative()))


@pytest.mark.parametrize("error", [OSError, ImportError])
def test_stop_tree_works_without_prctl(
    error: type[Exception], shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a sandbox, or in a Python without ctypes."""
    root = shell(TREE)
    children(root)
    monkeypatch.setattr("process_terminate._tree.subreaper.is_set", fail(error))
    assert [p.signal for p in stop_tree(root, grace=0.1)] == [signal.SIGKILL] * 2
