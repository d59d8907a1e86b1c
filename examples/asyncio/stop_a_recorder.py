"""Stop a recorder from asyncio: let it finish, then kill it."""

# /// script
# dependencies = ["process-terminate"]
# ///
import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE

from process_terminate import aio

# Like ffmpeg it completes its file on "q"; the other one hangs.
RECORDER = "import sys; sys.stdin.read(1); print('complete')"
HANGS = "import time; time.sleep(60)"


async def finish(process, grace):
    process.stdin.write(b"q")
    try:
        await asyncio.wait_for(process.wait(), grace)
    except TimeoutError:
        await aio.stop(process, grace=5)


async def record(code, grace):
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdin=PIPE, stdout=DEVNULL
    )
    await finish(process, grace)
    return process.returncode


if __name__ == "__main__":
    print("it finishes: exit code", asyncio.run(record(RECORDER, 30)))
    #> it finishes: exit code 0
    print("it hangs: exit code", asyncio.run(record(HANGS, 0.5)))
    #> it hangs: exit code -15
