"""Cancel a task that waits for a command, and stop the command."""

import asyncio
import time
from asyncio.subprocess import Process, create_subprocess_exec


async def stop(process, grace):
    for send, limit in (process.terminate, grace), (process.kill, 10):
        if process.returncode is None:
            send()
        end = time.monotonic() + limit
        while process.returncode is None and time.monotonic() < end:
            await asyncio.sleep(0.05)
    return process.returncode


async def wait_and_stop(process):
    try:
        await process.communicate()
    finally:
        await stop(process, grace=5)


async def cancel(wait):
    process = await create_subprocess_exec("sleep", "60")
    task = asyncio.create_task(wait(process))
    await asyncio.wait([task], timeout=0.3)
    task.cancel()
    await asyncio.wait([task], timeout=30)
    print(f"{wait.__name__}(): exit code {process.returncode}")
    #> communicate(): exit code None
    #> wait_and_stop(): exit code -15
    await stop(process, grace=5)


if __name__ == "__main__":
    asyncio.run(cancel(Process.communicate))
    asyncio.run(cancel(wait_and_stop))
