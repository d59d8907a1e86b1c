"""Stop a shell of asyncio with all that it runs: by its group."""

import asyncio
import os
import signal
from asyncio.subprocess import PIPE

# SIGTERM stops this shell, but not the command that it runs.
COMMAND = "trap '' TERM; sleep 60 & trap - TERM; echo ready; wait"


async def stop(process, reader, grace):
    os.killpg(process.pid, signal.SIGTERM)
    # The reader ends when no process has the pipe any more.
    await asyncio.wait([reader], timeout=grace)
    if not reader.done():
        print("after SIGTERM: the shell's code", process.returncode)
        #> after SIGTERM: the shell's code -15
        os.killpg(process.pid, signal.SIGKILL)
        await asyncio.wait([reader], timeout=10)


async def main():
    process = await asyncio.create_subprocess_shell(
        COMMAND, stdout=PIPE, start_new_session=True
    )
    await process.stdout.readline()
    reader = asyncio.create_task(process.stdout.read())
    await stop(process, reader, grace=1)
    print("after SIGKILL: no writer", process.stdout.at_eof())
    #> after SIGKILL: no writer True


if __name__ == "__main__":
    asyncio.run(main())
