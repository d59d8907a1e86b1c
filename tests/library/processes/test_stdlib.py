"""Private attributes of Python's modules: they are there, or the answer is defined."""

import concurrent.futures
import concurrent.futures.process
import multiprocessing
import multiprocessing.forkserver
import multiprocessing.pool
import multiprocessing.resource_tracker
import multiprocessing.util
import os
import subprocess
import sys
import types
from multiprocessing.process import BaseProcess
from typing import Any

import pytest
from support import (
    FORK,
    KILLED,
    TERMINATED,
    UNKNOWN,
    Start,
    forks,
    reaps,
    run,
    unreaped,
)

from process_terminate import no_orphans, stop, stop_pool
from process_terminate._process import adapters, stdlib

modules: Any = multiprocessing


def test_python_has_the_private_attributes_that_the_library_reads(start: Start) -> None:
    """This names what CPython has changed."""
    worker = start("forkserver").process
    assert stdlib.start_method(worker) == "forkserver"
    assert stdlib.started_here(worker)
    assert isinstance(stdlib.pipe_of_worker(worker), int)
    assert stdlib.forkservers() == {modules.forkserver._forkserver._forkserver_pid}
    assert stdlib.resource_trackers() == {
        modules.resource_tracker._resource_tracker._pid
    }
    with subprocess.Popen(["true"]) as popen:
        assert popen._waitpid_lock  # type: ignore[attr-defined]
        assert popen._handle_exitstatus  # type: ignore[attr-defined]
        assert subprocess._cleanup  # type: ignore[attr-defined]
    assert "_process_worker" in vars(concurrent.futures.process)
    assert multiprocessing.pool.Pool._handle_workers  # type: ignore[attr-defined]


@forks
def test_pid_of_a_dead_server_is_not_that_of_the_server() -> None:
    """Another process may have it by now, and must not be spared."""
    program = """
        import multiprocessing, os, signal
        from multiprocessing import forkserver, resource_tracker
        from process_terminate._process import stdlib
        worker = multiprocessing.get_context("forkserver").Process(target=int)
        worker.start()
        worker.join()
        for pids in (stdlib.forkservers(), stdlib.resource_trackers()):
            (pid,) = pids
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        print(stdlib.forkservers(), stdlib.resource_trackers())
        os._exit(0)
    """
    assert run(program, options=("-u",)) == "set() set()\n"


def test_pools_and_executors_are_found_until_they_are_ended() -> None:
    """For the attributes of pools."""
    context = multiprocessing.get_context(FORK)
    threads = multiprocessing.pool.ThreadPool(1)
    with context.Pool(1) as pool:
        assert list(stdlib.pools()) == [pool]
        assert stdlib.missing_parts(pool) == []
        for name in ("_worker_handler", "_task_handler", "_result_handler"):
            assert hasattr(getattr(pool, name), "_state")
    pool.join()
    threads.terminate()
    threads.join()
    assert list(stdlib.pools()) == []
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as executor:
        executor.submit(abs, 1).result(30)
        assert list(stdlib.executors()) == [executor]


def test_tracker_of_a_copy_of_loky_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Joblib has a copy of its own."""
    tracker = types.SimpleNamespace(_resource_tracker=types.SimpleNamespace(_pid=7))
    name = "joblib.externals.loky.backend.resource_tracker"
    monkeypatch.setitem(sys.modules, name, tracker)
    assert 7 in stdlib.resource_trackers()


@pytest.mark.parametrize(
    ("kind", "owner", "name"),
    [
        (FORK, BaseProcess, "_popen"),
        ("forkserver", BaseProcess, "_popen"),
        (FORK, BaseProcess, "_parent_pid"),
        ("forkserver", modules.forkserver, "_forkserver"),
        ("forkserver", modules.resource_tracker, "_resource_tracker"),
        ("subprocess", subprocess, "_cleanup"),
        ("subprocess", subprocess.Popen, "_handle_exitstatus"),
        ("subprocess", subprocess.Popen, "_waitpid_lock"),
        (FORK, modules.util, "_finalizer_registry"),
    ],
)
def test_stop_works_where_python_has_renamed_an_attribute(
    kind: str, owner: Any, name: str, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the library sees it; Python itself goes on to use it."""
    worker = start(kind)

    def renamed(value: object, attribute: str, *default: object) -> object:
        is_it = isinstance(value, owner) if isinstance(owner, type) else value is owner
        if attribute == name and is_it:
            if default:
                return default[0]
            raise AttributeError(attribute)
        return getattr(value, attribute, *default)

    monkeypatch.setattr(stdlib, "getattr", renamed, raising=False)
    with no_orphans(grace=0.1):
        pass
    assert stop(worker.process) == TERMINATED


@pytest.mark.parametrize(
    ("kind", "part"),
    [
        *(("Pool", part) for part in stdlib._PARTS if "put" not in part),
        *(("ProcessPoolExecutor", part) for part in stdlib._PARTS_OF_EXECUTOR),
    ],
)
def test_pool_without_a_part_is_refused_before_it_is_changed(
    kind: str, part: str
) -> None:
    context = multiprocessing.get_context(FORK)
    pool: Any = (
        context.Pool(1)
        if kind == "Pool"
        else concurrent.futures.ProcessPoolExecutor(1, mp_context=context)
    )
    list(pool.map(abs, [-1]))
    owner, _, name = part.partition(".")
    with pytest.MonkeyPatch.context() as patch:
        if name:  # The threads of the pool keep the owner, with all its parts.
            patch.setattr(pool, owner, object())
        else:
            patch.delattr(pool, owner)
        with pytest.raises(RuntimeError, match=f"needs .*{part}.* of the pool"):
            stop_pool(pool)
    stop_pool(pool)


@forks
def test_worker_that_a_thread_waits_for_all_the_time_has_its_status(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A forkserver tells it once, to the thread that asks first."""
    monkeypatch.setattr(stdlib, "is_polled", lambda _: True)
    monkeypatch.setattr(adapters, "NOTE_WAIT", 0.05)
    assert stop(start("forkserver").process) == TERMINATED


@reaps
def test_popen_reaped_elsewhere_has_no_status_of_success() -> None:
    process = subprocess.Popen(["true"])
    os.waitpid(process.pid, 0)
    assert stdlib.reap_popen(process, None)
    assert process.returncode is None
    assert stop(process) == UNKNOWN
    process.returncode = -9
    assert stop(process) == KILLED


@reaps
def test_popen_that_another_thread_waits_for_is_left_to_it() -> None:
    process = unreaped("exit 0")
    with process._waitpid_lock:  # type: ignore[attr-defined]
        assert not stdlib.reap_popen(process, 0)
    assert stdlib.reap_popen(process, 0)
    assert process.returncode == 0
