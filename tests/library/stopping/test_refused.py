"""What a system or a sandbox refuses: each function stops its processes without it."""

import asyncio
import errno
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import DEADLINE, METHODS, TERMINATED, TREE, fail
from workers import ready

from process_terminate import (
    aio,
    exit_on_sigterm,
    no_orphans,
    stop,
    stop_all,
    stop_pool,
    stop_tree,
)
from process_terminate._process import table
from process_terminate._process.handle import open_handle

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="sends signals")


def _tree() -> int | None:
    with ready(TREE) as root:
        return stop_tree(root, grace=0.2)[0].status.code


def _block() -> int | None:
    with no_orphans(grace=0.2):
        root = ready(TREE)
    with root:
        return root.returncode


def _pool() -> int | None:
    pool = multiprocessing.get_context("fork").Pool(1)
    pool.map_async(time.sleep, [60])
    return stop_pool(pool)[0].code


async def _aio() -> int | None:
    process = await asyncio.create_subprocess_exec("sleep", "60")
    return (await aio.stop(process)).code


def _worker(method: str) -> Any:
    context: Any = multiprocessing.get_context(method)
    worker = context.Process(target=time.sleep, args=(60,))
    worker.start()
    return worker


#: What each call says of how its process ended.
CALLS: dict[str, Callable[[], object]] = {
    "stop": lambda: stop(subprocess.Popen(["sleep", "60"])).code,
    "stop a worker": lambda: stop(_worker("fork")).code,
    "stop_tree": _tree,
    "no_orphans": _block,
    "stop_pool": _pool,
    "aio.stop": lambda: asyncio.run(_aio()),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "error", [AttributeError(), OSError(errno.ENOSYS, ""), PermissionError()]
)
def test_processes_are_stopped_where_waitid_is_not_to_be_had(
    call: str, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sandbox may refuse it, and Linux 5.3 does so for a pidfd."""
    monkeypatch.setattr(os, "waitid", fail(error))
    assert CALLS[call]() in {-signal.SIGTERM, -signal.SIGKILL}


@pytest.mark.parametrize("on_pypy", [False, True])
def test_spawned_child_of_a_block_is_left_to_its_caller_without_waitid(
    on_pypy: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if on_pypy:  # It has none of the constants either.
        monkeypatch.delattr(os, "WEXITED")
    monkeypatch.setattr(os, "waitid", fail(PermissionError()))
    with no_orphans():
        pid = os.posix_spawnp("sleep", ["sleep", "60"], os.environ)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGTERM


@pytest.fixture
def _without_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide all processes, as before Linux 6.13, where a pidfd does not know its parent."""
    monkeypatch.setattr(table, "look_up", lambda _: None)
    monkeypatch.setattr(table, "parent_of", lambda _: None)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.usefixtures("_without_proc")
def test_worker_is_stopped_without_proc_on_an_old_kernel(method: str) -> None:
    if method == "forkserver" and not hasattr(os, "pidfd_open"):
        pytest.skip("it is refused, see the next test")
    pool = multiprocessing.get_context(method).Pool(1)
    workers = [_worker(method) for _ in range(2)]
    assert [stop(workers[0]), *stop_all(workers[1:])] == [TERMINATED] * 2
    assert stop_pool(pool)[0].code is not None  # An idle worker may return first.


@pytest.mark.usefixtures("_without_proc")
def test_worker_of_a_forkserver_is_refused_without_proc_and_pidfds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing tells it from a process that got its pid, so nothing is signaled."""
    worker, child = _worker("forkserver"), _worker("fork")
    pool = multiprocessing.get_context("forkserver").Pool(1)
    with monkeypatch.context() as patch:
        patch.delattr(os, "pidfd_open", raising=False)
        for call in (
            lambda: stop(worker),
            lambda: stop_all([child, worker]),
            lambda: stop_pool(pool),
        ):
            with pytest.raises(RuntimeError, match=r"without pidfds .* mount it"):
                call()
        assert [worker.is_alive(), child.is_alive(), pool.apply(abs, [-1])] == [1] * 3
    monkeypatch.undo()
    assert stop_all([worker, child]) == [TERMINATED] * 2
    assert stop_pool(pool)[0].code is not None


def test_child_that_was_reaped_is_known_to_be_dead_without_waitid_and_pidfds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "waitid", fail(PermissionError()))
    monkeypatch.setattr(
        os, "pidfd_open", fail(OSError(errno.ENOSYS, "")), raising=False
    )
    process = subprocess.Popen(["sleep", "60"])
    with open_handle(process.pid, child=True) as handle:
        assert not handle.is_dead()
        process.kill()
        process.wait(DEADLINE)
        assert handle.is_dead()


#: Leaves a block that was not entered.
NOT_ENTERED: dict[str, Callable[[], object]] = {
    "no_orphans": lambda: no_orphans().__exit__(None, None, None),
    "exit_on_sigterm": lambda: exit_on_sigterm().__exit__(None, None, None),
    "aio": lambda: asyncio.run(aio.no_orphans().__aexit__(None, None, None)),
}


@pytest.mark.parametrize("block", NOT_ENTERED)
def test_block_that_was_not_entered_is_refused(block: str) -> None:
    with pytest.raises(RuntimeError, match="was not entered: use a with statement"):
        NOT_ENTERED[block]()


@pytest.mark.measured
def test_file_with_the_name_of_a_module_is_refused_at_the_import(
    tmp_path: Path,
) -> None:
    """Python looks beside the script first."""
    (tmp_path / "resource.py").touch()
    script = tmp_path / "script.py"
    script.write_text("import process_terminate", encoding="ascii")
    found = subprocess.run(
        [sys.executable, script],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert found.returncode == 1
    assert f"{tmp_path}/resource.py hides" in found.stderr.splitlines()[-1]
