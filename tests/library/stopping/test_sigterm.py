"""exit_on_sigterm(): the process that gets SIGTERM cleans up."""

import functools
import multiprocessing
import os
import signal
import sys
import textwrap
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
import support
import workers
from support import DEADLINE, METHODS, forks, not_on_windows, posix_signals, wait_until

from process_terminate import ExitStatus, exit_on_sigterm, stop

pytestmark = pytest.mark.measured
no_handler = not_on_windows("no process there handles a signal of another process")

Handler = Callable[[int, FrameType | None], Any] | int


def handle(*_: object) -> None:
    """Do nothing, as a handler of the caller."""


@pytest.fixture(autouse=True)
def _old_handler() -> Iterator[None]:
    handler = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, handler)


@pytest.fixture(params=[signal.SIG_DFL, signal.SIG_IGN, handle])
def old(request: pytest.FixtureRequest) -> Handler:
    """A handler of SIGTERM from before the block."""
    handler: Handler = request.param
    signal.signal(signal.SIGTERM, handler)
    return handler


def run(program: str) -> str:
    """Run a program that exits with 143; return what it prints."""
    imports = "import atexit, os, signal\nfrom process_terminate import exit_on_sigterm"
    return support.run(f"{imports}\n{textwrap.dedent(program)}", code=143)


@no_handler
@pytest.mark.parametrize("method", METHODS)
def test_sigterm_lets_a_worker_clean_up(method: str) -> None:
    context: Any = multiprocessing.get_context(method)
    receiver, sender = context.Pipe(duplex=False)
    worker = context.Process(target=workers.exit_on_sigterm_and_report, args=(sender,))
    worker.start()
    sender.close()
    assert receiver.poll(DEADLINE)
    assert receiver.recv() == "ready"
    assert stop(worker, grace=DEADLINE) == ExitStatus(143)
    assert list(received(receiver)) == [
        "finally",
        *(["atexit"] if method == "spawn" or sys.version_info >= (3, 13) else []),
    ]


def received(pipe: Any) -> Iterator[object]:
    """Return all that a process has sent before its end."""
    with pipe:
        while pipe.poll(DEADLINE):
            try:
                yield pipe.recv()
            except EOFError:
                return


def test_sigterm_leaves_with_blocks_and_loses_nothing() -> None:
    program = """
        from contextlib import contextmanager
        @contextmanager
        def block():
            try:
                yield
            except BaseException as error:
                print(repr(error))
                raise
        atexit.register(print, "atexit")
        with exit_on_sigterm(), block():
            print("not flushed")
            signal.raise_signal(signal.SIGTERM)
        print("not reached")
    """
    assert run(program) == "not flushed\nSystemExit(143)\natexit\n"


def test_second_sigterm_does_not_interrupt_the_cleanup() -> None:
    program = """
        @atexit.register
        def clean_up():
            signal.raise_signal(signal.SIGTERM)
            print("atexit", flush=True)
        with exit_on_sigterm():
            try:
                with exit_on_sigterm():
                    try:
                        signal.raise_signal(signal.SIGTERM)
                    finally:
                        signal.raise_signal(signal.SIGTERM)
                        print("inner")
            finally:
                signal.raise_signal(signal.SIGTERM)
                print("outer")
    """
    assert run(program) == "inner\nouter\natexit\n"


def test_block_raises_system_exit() -> None:
    with pytest.raises(SystemExit) as raised, exit_on_sigterm():
        signal.raise_signal(signal.SIGTERM)
    assert raised.value.code == 143


def test_block_puts_the_old_handler_back(old: Handler) -> None:
    with exit_on_sigterm():
        assert signal.getsignal(signal.SIGTERM) != old
    assert signal.getsignal(signal.SIGTERM) == old


def test_block_puts_the_old_handler_back_after_an_error(old: Handler) -> None:
    with pytest.raises(KeyError), exit_on_sigterm():
        raise KeyError
    assert signal.getsignal(signal.SIGTERM) == old


def test_block_after_a_handler_of_c_leaves_the_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    set_handler = signal.signal
    monkeypatch.setattr(signal, "signal", lambda *args: set_handler(*args) and None)
    with exit_on_sigterm():
        pass
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_block_minds_no_other_signal() -> None:
    numbers = signal.valid_signals() - {signal.SIGTERM}
    before = {number: signal.getsignal(number) for number in numbers}
    with exit_on_sigterm():
        assert {number: signal.getsignal(number) for number in numbers} == before


def test_blocks_can_be_nested() -> None:
    with exit_on_sigterm():
        outer = signal.getsignal(signal.SIGTERM)
        with exit_on_sigterm():
            pass
        assert signal.getsignal(signal.SIGTERM) == outer


def test_nested_block_exits_only_once() -> None:
    with pytest.raises(SystemExit) as raised, exit_on_sigterm(), exit_on_sigterm():
        signal.raise_signal(signal.SIGTERM)
    assert raised.value.code == 143


def test_decorated_function_exits_by_sigterm(old: Handler) -> None:

    @exit_on_sigterm()
    def work(*numbers: int) -> str:
        for number in numbers:
            signal.raise_signal(number)
        return "done"

    assert work() == work() == "done"
    assert signal.getsignal(signal.SIGTERM) == old
    with pytest.raises(SystemExit):
        work(signal.SIGTERM)


async def coroutine() -> None:
    """Do nothing, later."""


async def asynchronous_generator() -> AsyncIterator[None]:
    """Return nothing, later."""
    yield


def generator() -> Iterator[None]:
    """Return nothing, later."""
    yield


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (coroutine, r"coroutine function, such as coroutine\(\).* around asyncio.run"),
        (functools.partial(coroutine), r"such as coroutine\(\)"),
        (generator, r"generator function, such as generator\(\).* around the code"),
        (asynchronous_generator, r"such as asynchronous_generator\(\)"),
    ],
)
def test_function_whose_code_runs_after_the_call_cannot_be_decorated(
    function: Callable[[], object], said: str
) -> None:
    with pytest.raises(TypeError, match=said):
        exit_on_sigterm()(function)


def test_block_around_asyncio_lets_tasks_clean_up() -> None:
    program = """
        import asyncio
        async def main():
            try:
                signal.raise_signal(signal.SIGTERM)
                await asyncio.sleep(60)
            finally:
                print("finally")
        with exit_on_sigterm():
            asyncio.run(main())
    """
    assert run(program) == "finally\n"


def test_decorator_keeps_what_is_known_of_the_function() -> None:
    decorated = exit_on_sigterm()(handle)
    assert (decorated.__name__, decorated.__doc__) == ("handle", handle.__doc__)


def test_block_in_a_thread_says_so() -> None:
    errors: list[ValueError] = []

    def work() -> None:
        try:
            with exit_on_sigterm():
                pass
        except ValueError as error:
            errors.append(error)

    thread = threading.Thread(target=work, name="helper")
    thread.start()
    thread.join(DEADLINE)
    assert [str(error) for error in errors] == [
        "exit_on_sigterm() works in the main thread only, not in 'helper': "
        "call it before starting threads"
    ]


@not_on_windows("no process there can ignore its end")
def test_command_that_the_cleanup_starts_does_not_ignore_sigterm() -> None:
    program = """
        import subprocess
        with exit_on_sigterm():
            try:
                signal.raise_signal(signal.SIGTERM)
            finally:
                command = subprocess.Popen(["sleep", "60"])
                command.terminate()
                print(command.wait(10), flush=True)
    """
    assert run(program) == "-15\n"


@forks
def test_worker_that_the_cleanup_forks_does_not_ignore_sigterm() -> None:
    program = """
        import time
        from multiprocessing import get_context
        with exit_on_sigterm():
            try:
                signal.raise_signal(signal.SIGTERM)
            finally:
                worker = get_context("fork").Process(target=time.sleep, args=(60,))
                worker.start()
                worker.terminate()
                worker.join(10)
                print(worker.exitcode, flush=True)
    """
    assert run(program) == "-15\n"


@posix_signals
def test_second_sigterm_does_not_interrupt_the_exit_after_atexit_functions() -> None:
    program = """
        class Last:
            def __del__(self, kill=os.kill, pid=os.getpid(), write=os.write):
                kill(pid, signal.SIGTERM)
                write(1, b"__del__\\n")
        last = Last()
        with exit_on_sigterm():
            signal.raise_signal(signal.SIGTERM)
    """
    assert run(program) == "__del__\n"


@forks
def test_exit_waits_for_a_worker_and_ignores_sigterm_meanwhile() -> None:
    """As the docstring warns: the worker is no daemon."""
    program = """
        import threading
        from multiprocessing import get_context
        reader, writer = os.pipe()
        worker = get_context("fork").Process(target=os.read, args=(reader, 1))
        worker.start()
        main = threading.main_thread()
        def interrupt():
            main.join()  # It has left its code, and waits for the worker.
            os.kill(os.getpid(), signal.SIGTERM)
            os.write(1, b"terminated\\n")
            os.write(writer, b".")
        with exit_on_sigterm():
            threading.Thread(target=interrupt, daemon=True).start()
            signal.raise_signal(signal.SIGTERM)
    """
    assert run(program) == "terminated\n"


@forks
@pytest.mark.skipif(
    sys.version_info[:2] == (3, 12), reason="3.12.1 cannot fork as it exits"
)
def test_process_that_the_last_atexit_function_forks_does_not_ignore_sigterm() -> None:
    program = """
        import atexit, os, signal
        @atexit.register
        def fork():
            pid = os.fork()
            if not pid:
                signal.alarm(10)
                signal.pause()
            os.kill(pid, signal.SIGTERM)
            print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        from process_terminate import exit_on_sigterm
        with exit_on_sigterm():
            signal.raise_signal(signal.SIGTERM)
    """
    assert support.run(program, code=143) == "-15\n"


#: A process that says when stop() waits for it, and a worker that should be terminated.
STOPPING = """
import asyncio, subprocess, sys, threading
from multiprocessing import get_context
from process_terminate import aio, stop
source = (
    "import os, signal, sys\\n"
    "signal.signal(signal.SIGTERM, lambda *_: os.write(1, b'\\\\n'))\\n"
    "print(flush=True); sys.stdin.read()"
)
pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
victim = subprocess.Popen([sys.executable, "-c", source], **pipes)
victim.stdout.readline()
def fork_and_terminate():
    worker = get_context("fork").Process(target=signal.pause)
    worker.start()
    worker.terminate()
    worker.join(10)
    print(worker.exitcode, flush=True)
    worker.kill()
    victim.kill()
"""


@forks
def test_worker_that_another_thread_forks_in_the_cleanup_does_not_ignore_sigterm() -> (
    None
):
    program = """
        def fork_while_stop_waits():
            victim.stdout.readline()
            fork_and_terminate()
        with exit_on_sigterm():
            try:
                signal.raise_signal(signal.SIGTERM)
            finally:
                thread = threading.Thread(target=fork_while_stop_waits)
                thread.start()
                stop(victim, grace=60)
                thread.join(10)
    """
    assert run(STOPPING + textwrap.dedent(program)) == "-15\n"


@forks
def test_worker_that_another_task_forks_in_the_cleanup_does_not_ignore_sigterm() -> (
    None
):
    program = """
        async def clean_up():
            stopping = asyncio.create_task(aio.stop(victim, grace=60))
            await asyncio.to_thread(victim.stdout.readline)
            fork_and_terminate()
            await stopping
        with exit_on_sigterm():
            try:
                signal.raise_signal(signal.SIGTERM)
            finally:
                asyncio.run(clean_up())
    """
    assert run(STOPPING + textwrap.dedent(program)) == "-15\n"


@posix_signals
def test_second_sigterm_does_not_interrupt_the_exit_while_a_task_stops() -> None:
    program = """
        async def main():
            try:
                with exit_on_sigterm():
                    try:
                        signal.raise_signal(signal.SIGTERM)
                    finally:
                        stopping = asyncio.create_task(aio.stop(victim, grace=60))
                        await asyncio.to_thread(victim.stdout.readline)
            finally:
                signal.raise_signal(signal.SIGTERM)
                victim.kill()
                print((await stopping).code, flush=True)
        asyncio.run(main())
    """
    assert run(STOPPING + textwrap.dedent(program)) == "-9\n"


@posix_signals
def test_block_that_ends_after_an_error_of_another_handler_does_not_hang() -> None:
    """It puts the handler of aio.stop() back, which is just putting others back."""
    program = """
        def fail(*_):
            raise OSError
        signal.signal(signal.SIGUSR1, fail)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        signal.alarm(20)
        async def main():
            stopping = asyncio.create_task(aio.stop(victim, grace=60))
            await asyncio.to_thread(victim.stdout.readline)
            with exit_on_sigterm():
                try:
                    signal.raise_signal(signal.SIGUSR1)
                except OSError:
                    print("error", flush=True)
            victim.kill()
            await stopping
        asyncio.run(main())
        signal.raise_signal(signal.SIGTERM)
    """
    assert run(STOPPING + textwrap.dedent(program)) == "error\n"


@no_handler
@pytest.mark.parametrize("parent", [nullcontext, exit_on_sigterm])
@pytest.mark.parametrize("method", METHODS)
def test_task_of_an_executor_ends_its_worker(
    method: str, parent: Callable[[], AbstractContextManager[None]], tmp_path: Path
) -> None:
    """The parent does not get the SystemExit, but BrokenProcessPool."""
    context = multiprocessing.get_context(method)
    with parent(), ProcessPoolExecutor(1, mp_context=context) as executor:
        future = executor.submit(workers.exit_in_pool, str(tmp_path))
        started = wait_until(lambda: list(tmp_path.iterdir()))
        (worker,) = executor._processes.values()
        os.kill(int(started[0].name), signal.SIGTERM)
        with pytest.raises(BrokenProcessPool):
            future.result(DEADLINE)
    # Not before: of two threads that read the code of a forkserver, one gets 255.
    assert worker.exitcode == 143


@forks
def test_task_without_a_block_of_its_own_gets_each_sigterm(tmp_path: Path) -> None:
    """The worker has the handler of its parent's block, and survives SystemExit."""
    context = multiprocessing.get_context("fork")
    with exit_on_sigterm(), ProcessPoolExecutor(1, mp_context=context) as executor:
        for name in ("first", "second"):
            folder = tmp_path / name
            folder.mkdir()
            future = executor.submit(workers.sleep_in_pool, str(folder))
            started = wait_until(functools.partial(os.listdir, folder))
            os.kill(int(started[0]), signal.SIGTERM)
            assert repr(future.exception(DEADLINE)) == "SystemExit(143)"
