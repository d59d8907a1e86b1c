"""Limit a command in asyncio: terminate it, kill it, wait for it."""

# /// script
# requires-python = ">=3.11"
# ///
import asyncio
from asyncio.subprocess import PIPE

DEAF = "trap '' TERM; echo ready; while :; do sleep 0.1; done"


async def stop(process, grace):
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), timeout=grace)
    except TimeoutError:
        process.kill()
    return await process.wait()


async def main():
    start = asyncio.create_subprocess_exec
    process = await start("sleep", "60")
    try:
        await asyncio.wait_for(process.wait(), timeout=0.3)
    except TimeoutError:
        print("after the limit:", process.returncode)
        #> after the limit: None
    print("stopped:", await stop(process, grace=5))
    #> stopped: -15

    process = await start("sh", "-c", DEAF, stdout=PIPE)
    await process.stdout.readline()
    print("deaf, stopped:", await stop(process, grace=0.3))
    #> deaf, stopped: -9


if __name__ == "__main__":
    asyncio.run(main())
