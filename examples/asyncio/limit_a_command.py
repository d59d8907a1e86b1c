"""Limit a command in asyncio: terminate it, kill it, read its end."""

# /// script
# requires-python = ">=3.11"
# ///
import asyncio
from asyncio.subprocess import PIPE

IGNORE = "trap '' TERM; echo ready; while :; do sleep 0.1; done"


async def stop(process, grace):
    process.terminate()
    try:
        await asyncio.wait_for(process.communicate(), timeout=grace)
    except TimeoutError:
        process.kill()
        await asyncio.wait_for(process.communicate(), timeout=10)
    return process.returncode


async def main():
    start = asyncio.create_subprocess_exec
    process = await start("sleep", "60")
    try:
        await asyncio.wait_for(process.communicate(), timeout=0.3)
    except TimeoutError:
        print("after the limit:", process.returncode)
        #> after the limit: None
    print("stopped:", await stop(process, grace=5))
    #> stopped: -15

    process = await start("sh", "-c", IGNORE, stdout=PIPE)
    await process.stdout.readline()
    print("ignores SIGTERM:", await stop(process, grace=0.3))
    #> ignores SIGTERM: -9


if __name__ == "__main__":
    asyncio.run(main())
