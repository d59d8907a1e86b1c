"""Limit a command in asyncio while a task reads its output."""

import asyncio
import time
from asyncio.subprocess import PIPE, create_subprocess_exec

SCRIPT = "trap '{}' TERM; echo ready; while :; do sleep 0.1; done"


async def stop(process, grace):
    for send, limit in (process.terminate, grace), (process.kill, 10):
        if process.returncode is None:
            send()
        end = time.monotonic() + limit
        while process.returncode is None and time.monotonic() < end:
            await asyncio.sleep(0.05)
    return process.returncode


async def read(stream):
    async for line in stream:
        print("read:", line.decode().strip())
        #> read: cleaned up


async def run(on_sigterm, grace):
    command = "sh", "-c", SCRIPT.format(on_sigterm)
    process = await create_subprocess_exec(*command, stdout=PIPE)
    await process.stdout.readline()
    reader = asyncio.create_task(read(process.stdout))
    await asyncio.wait([reader], timeout=0.3)
    print(process.returncode, "then", await stop(process, grace))
    #> None then 3
    #> None then -9
    await asyncio.wait([reader], timeout=10)


if __name__ == "__main__":
    asyncio.run(run("echo cleaned up; exit 3", grace=10))
    asyncio.run(run("", grace=0.3))
