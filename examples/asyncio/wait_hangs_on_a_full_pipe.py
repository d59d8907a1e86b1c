"""Wait in asyncio for a command whose errors you do not read."""

# /// script
# requires-python = ">=3.11"
# ///
import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE

CODE = "import sys; sys.stderr.write('x' * 1_000_000)"


async def start(stderr):
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", CODE, stderr=stderr
    )


async def main():
    process = await start(PIPE)
    try:
        await asyncio.wait_for(process.wait(), timeout=1)
    except TimeoutError:
        print("wait(): exit code", process.returncode)
        #> wait(): exit code None
    _, errors = await asyncio.wait_for(process.communicate(), 30)
    print("communicate(): exit code", process.returncode)
    #> communicate(): exit code 0
    print("bytes:", len(errors))
    #> bytes: 1000000
    process = await start(DEVNULL)
    print("no pipe: exit code", await process.wait())
    #> no pipe: exit code 0


if __name__ == "__main__":
    asyncio.run(main())
