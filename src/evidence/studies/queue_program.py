"""Terminate writers of a queue: the program that `python -m evidence queues` runs.

It reads JSON from stdin: the start method, the size of a message, the pause after
it, and a delay for each run. It prints the outcome of each run as a JSON list.
"""

import json
import multiprocessing
import sys
import time
from collections import Counter
from multiprocessing.connection import Connection
from multiprocessing.queues import Queue
from queue import Empty
from typing import Any

#: Seconds: the timeout that the reader gives to get().
TIMEOUT = 0.05
#: Seconds to wait for a step that can happen. It takes a few hundredths.
PATIENCE = 30.0
#: Seconds to see that it does not happen, if the dead writer holds the write lock.
HANG = 1.0
#: Seconds for get() to return: 40 times its timeout.
READER_HANG = 2.0
#: Empty must come twice: the first may be from a get() before the writer's death.
EMPTIES = 2
NEXT = "next"


def write(queue: "Queue[Any]", size: int, pause: float) -> None:
    """Put messages until terminated."""
    message = bytes(size)
    while True:
        queue.put(message)
        if pause:
            time.sleep(pause)


def read(queue: "Queue[Any]", report: Connection) -> None:
    """Drain the queue; report the first item, the item of the next writer, and Empty."""
    report.send("ready")
    queue.get()
    report.send("first")
    while True:
        try:
            if queue.get(timeout=TIMEOUT) == NEXT:
                report.send(NEXT)
        except Empty:
            report.send("empty")


def write_next(queue: "Queue[Any]", report: Connection) -> None:
    """Put one small item, and exit."""
    queue.put(NEXT)
    report.send("put")


def run(method: str, size: int, pause: float, delay: float) -> str:
    """Terminate a writer some time after its first item; return the outcome."""
    context: Any = multiprocessing.get_context(method)
    queue = context.Queue()
    inbox, report = context.Pipe(duplex=False)
    reader = context.Process(target=read, args=(queue, report))
    writer = context.Process(target=write, args=(queue, size, pause))
    next_writer = context.Process(target=write_next, args=(queue, report))
    started = []
    try:
        heard = Counter[str]()
        for process, said in (reader, "ready"), (writer, "first"):
            started.append(process)
            process.start()
            listen(inbox, heard, said, PATIENCE)
            if not heard[said]:
                raise RuntimeError(f"nobody has said {said!r}")
        time.sleep(delay)
        writer.terminate()
        writer.join()
        # This decides how long to wait, and nothing else.
        held = not can_write(queue)
        while inbox.poll():
            inbox.recv()
        started.append(next_writer)
        next_writer.start()
        return outcome(inbox, next_writer, held)
    finally:
        for process in started:
            if process.pid:
                process.kill()
                process.join()
        for end in inbox, report:
            end.close()
        queue.close()


def outcome(inbox: Connection, next_writer: Any, held: bool) -> str:
    """Return which process hangs: "usable" if none, "writer" (the next), "reader" or "both"."""
    heard = Counter[str]()
    listen(inbox, heard, "put", PATIENCE)
    if not heard["put"]:
        raise RuntimeError("the next writer did not start")
    listen(inbox, heard, "next", HANG if held else PATIENCE)
    if not heard["next"] and heard["empty"] < EMPTIES:
        listen(inbox, heard, "empty", READER_HANG, EMPTIES)
    next_writer.join(PATIENCE if heard["next"] else 0)
    writer_hangs = next_writer.exitcode is None
    if heard["next"]:
        if writer_hangs:
            raise RuntimeError("the item arrived, and its writer hangs")
        return "usable"
    if heard["empty"] >= EMPTIES:
        if not writer_hangs:
            raise RuntimeError("the writer exited, and its item did not arrive")
        return "writer"
    return "both" if writer_hangs else "reader"


def listen(
    inbox: Connection,
    heard: Counter[str],
    word: str,
    patience: float,
    times: int = 1,
) -> None:
    """Count the words of the processes until this word came, or until the timeout."""
    end = time.monotonic() + patience
    while heard[word] < times and inbox.poll(max(0.0, end - time.monotonic())):
        heard[inbox.recv()] += 1


def can_write(queue: Any) -> bool:
    """Return whether no process holds the write lock."""
    free: bool = queue._wlock.acquire(block=False)
    if free:
        queue._wlock.release()
    return free


def main() -> None:
    """Do all runs of the task."""
    try:
        task = json.load(sys.stdin)
        delays = task.pop("delays")
        json.dump([run(delay=delay, **task) for delay in delays], sys.stdout)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
