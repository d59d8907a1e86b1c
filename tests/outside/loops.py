"""Stop processes on an event loop that is not asyncio's own: `loops.py NAME`."""

import asyncio
import sys
from asyncio.subprocess import Process, create_subprocess_exec
from collections.abc import Callable
from contextlib import suppress

import anyio
import trio
import uvloop

from process_terminate import aio, stop

IGNORE = "trap '' TERM; echo; exec sleep 60"
TREE = "sleep 60 & trap '' TERM; echo; wait"


async def started(script: str) -> Process:
    """Return a shell that has printed its first line."""
    process = await create_subprocess_exec("sh", "-c", script, stdout=-1)
    assert process.stdout
    await process.stdout.readline()
    return process


async def each_call() -> None:
    """Call each function of `aio`, and cancel one."""
    assert (await aio.stop(await started("echo; exec sleep 60"))).code == -15
    assert (await aio.stop(await started(IGNORE), grace=0.2)).code == -9
    three = [await started(IGNORE) for _ in range(3)]
    assert [one.code for one in await aio.stop_all(three, grace=0.2)] == [-9] * 3
    assert len(await aio.stop_tree(await started(TREE), grace=0.2)) == 2
    async with aio.no_orphans(grace=0.2):
        inside = await started(IGNORE)
    assert inside.returncode == -9


async def canceled() -> None:
    """Cancel a stop as anyio does: again and again, until its task has ended."""
    process = await started(IGNORE)
    with anyio.move_on_after(0.2):
        await aio.stop(process, grace=60)
    assert process.returncode == -9


async def in_a_thread() -> None:
    """Do what the documentation says for trio, which `aio` refuses."""
    process = await trio.lowlevel.open_process(["sleep", "60"])
    with suppress(RuntimeError, TypeError):
        await aio.stop(process)
        sys.exit("aio.stop() has taken a process of trio")
    assert (await trio.to_thread.run_sync(stop, process._proc)).code == -15


RUNS: dict[str, Callable[[], object]] = {
    "asyncio": lambda: asyncio.run(each_call()),
    "uvloop": lambda: uvloop.run(each_call()),
    "anyio": lambda: anyio.run(each_call),
    "anyio on uvloop": lambda: anyio.run(
        canceled, backend_options={"use_uvloop": True}
    ),
    "anyio cancels": lambda: anyio.run(canceled),
    "trio": lambda: trio.run(in_a_thread),
}

if __name__ == "__main__":
    RUNS[sys.argv[1]]()
