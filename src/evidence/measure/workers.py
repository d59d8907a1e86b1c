"""Run tasks side by side, each in a new process that Ctrl-C stops cleanly."""

import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TypeVar

from evidence.measure.run import environment

Task = TypeVar("Task")
Result = TypeVar("Result")

#: Seconds for one task, which has limits of its own.
_DEADLINE = 3600
#: Exit status of a worker that was interrupted.
_INTERRUPTED = 130


def run(
    function: Callable[[Task], Result], tasks: Iterable[Task], count: int
) -> Generator[tuple[Task, Result], None, None]:
    """Yield each task with `function(task)`, in the order in which they finish.

    Up to `count` tasks run at a time, each in a new process without threads. If you
    leave the loop, by Ctrl-C for example, each running function gets
    KeyboardInterrupt. The function must stop what it has started, so wrap its
    code in `leftovers.ended()`. It must be at the top level of a module.
    """
    running: set[subprocess.Popen[bytes]] = set()
    lock = threading.Lock()
    stopped = False

    def ask(task: Task) -> Result:
        with lock:
            if stopped:
                raise InterruptedError
            process = _start()
            running.add(process)
        answer, _ = process.communicate(
            pickle.dumps((function, task)), timeout=_DEADLINE
        )
        with lock:
            running.remove(process)
        if process.returncode:
            raise RuntimeError(
                f"the worker for {task} exited with {process.returncode}; see above"
            )
        result: Result = pickle.loads(answer)  # noqa: S301 - our own process wrote it
        return result

    with ThreadPoolExecutor(count, initializer=_block_ctrl_c) as pool:
        futures = {pool.submit(ask, task): task for task in tasks}
        try:
            for future in as_completed(futures):
                yield futures.pop(future), future.result()
        finally:
            with lock:
                stopped = True
                for process in running:
                    _interrupt(process)


def _block_ctrl_c() -> None:
    """Block SIGINT in this thread and, until they are ready, in its workers."""
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def _start() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", __name__],
        env=environment(),
        # The terminal sends Ctrl-C to this process only, which passes it on.
        process_group=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


def _interrupt(process: subprocess.Popen[bytes]) -> None:
    if sys.platform == "win32":  # It cannot send SIGINT to one process.
        process.terminate()
    else:
        process.send_signal(signal.SIGINT)


def _work() -> None:
    """Do the task from stdin, and write its result to stdout."""
    # Processes that the task starts must not keep the pipe open.
    with os.fdopen(os.dup(1), "wb") as answer:
        os.dup2(2, 1)
        try:
            if sys.platform != "win32":
                signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
            function, task = pickle.load(sys.stdin.buffer)  # noqa: S301 - our parent's
            pickle.dump(function(task), answer)
        except KeyboardInterrupt:
            sys.exit(_INTERRUPTED)


if __name__ == "__main__":
    _work()
