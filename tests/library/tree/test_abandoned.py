"""Calls and blocks that nothing continues: dropped, or open when Python exits."""

import sys
import sysconfig

import pytest
from support import forks, is_running, run

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="needs Linux"),
    pytest.mark.measured,
]

#: A loop that stops in the body of a block, or in its end.
BLOCK = """
    import asyncio, gc, subprocess, sys, threading
    from process_terminate import aio, no_orphans, stop_pool
    from process_terminate._event_loop import _UNFINISHED
    from workers import ready
    children = []
    async def main(where, grace=30):
        async with aio.no_orphans(grace=grace):
            children.append(ready())
            print(children[0].pid, flush=True)
            if where == "body":
                await asyncio.sleep(100)
    loop = asyncio.new_event_loop()
    coroutine = main(sys.argv[1])
    task = loop.create_task(coroutine)
    task._log_destroy_pending = False
    loop.call_later(0.3, loop.stop)
    loop.run_forever()
"""


@pytest.mark.parametrize("where", ["body", "end"])
@pytest.mark.parametrize(
    "end",
    [
        "coroutine.close()",
        "loop.close(); del loop, task, coroutine",
        "del loop, task, coroutine",
    ],
)
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_block_of_a_loop_that_nobody_runs_is_ended(where: str, end: str) -> None:
    program = f"""{BLOCK}
    {end}
    gc.collect()
    print(children[0].poll(), len(_UNFINISHED))
    with no_orphans():
        pass
    """
    assert run(program, where).splitlines()[1:] == ["-9 0"]


@pytest.mark.parametrize("where", ["body", "end"])
def test_block_that_is_open_when_python_exits_is_ended(where: str) -> None:
    assert not is_running(int(run(BLOCK, where)))


@pytest.mark.parametrize("call", ["stop", "stop_all", "stop_tree"])
def test_call_that_is_pending_when_python_exits_kills_at_once(call: str) -> None:
    program = f"""
    import asyncio
    from process_terminate import aio
    from workers import ready
    child = ready()
    loop = asyncio.new_event_loop()
    stopped = [child] if {call!r} == "stop_all" else child
    task = loop.create_task(aio.{call}(stopped, grace=30))
    task._log_destroy_pending = False
    loop.call_later(0.3, loop.stop)
    loop.run_forever()
    print(child.pid)
    """
    assert not is_running(int(run(program)))


@pytest.mark.parametrize("daemon", [True, False], ids=["daemon thread", "generator"])
def test_block_that_cannot_be_left_is_ended_when_python_exits(daemon: bool) -> None:
    program = f"""
    import threading
    from process_terminate import no_orphans
    from workers import ready
    def wait():
        with no_orphans(grace=30):
            print(ready().pid, flush=True)
            begun.set()
            yield
    def daemon():
        for _ in wait():
            threading.Event().wait()
    begun = threading.Event()
    if {daemon}:
        threading.Thread(target=daemon, daemon=True).start()
        begun.wait(30)
    else:
        kept = wait()
        next(kept)
    """
    assert not is_running(int(run(program)))


@pytest.mark.skipif(
    sysconfig.get_config_var("Py_GIL_DISABLED") == 1,
    reason="there Python clears its modules before the object",
)
def test_stop_pool_may_be_called_while_python_exits() -> None:
    """On Python 3.11 a thread that is started then never begins."""
    program = """
    import multiprocessing, time
    from process_terminate import stop_pool
    class Service:
        def __init__(self):
            self.pool = multiprocessing.get_context("fork").Pool(1)
            self.pool.apply_async(time.sleep, [60])
        def __del__(self, stop_pool=stop_pool):
            print(len(stop_pool(self.pool, grace=1)), flush=True)
    service = Service()
    """
    assert run(program) == "1\n"


@forks
def test_copy_of_a_call_in_a_forked_child_signals_nothing() -> None:
    program = """
    import asyncio, atexit, os, sys, time
    from process_terminate import aio
    from workers import ready
    child = ready()
    async def main():
        stopping = asyncio.create_task(aio.stop(child, grace=1))
        await asyncio.sleep(0.1)
        if not (pid := os.fork()):
            if sys.version_info < (3, 14):
                sys.exit()
            atexit._run_exitfuncs()  # A forked copy of asyncio.run() does not end.
            os._exit(0)
        os.waitpid(pid, 0)
        print(child.poll())
        await stopping
    asyncio.run(main())
    """
    assert run(program, options=("-W", "ignore")) == "None\n"
