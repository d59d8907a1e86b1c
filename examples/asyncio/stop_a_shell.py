"""Stop a shell of asyncio with all that it runs: by its group."""

# /// script
# requires-python = ">=3.11"
# ///
import asyncio
import os
import signal
from asyncio.subprocess import PIPE

# SIGTERM stops this shell, but not the command that it runs.
COMMAND = "trap '' TERM; sleep 60 & trap - TERM; echo ready; wait"


async def stop(process, grace):
    os.killpg(process.pid, signal.SIGTERM)
    try:  # Until no process has the pipe any more.
        await asyncio.wait_for(process.communicate(), timeout=grace)
    except TimeoutError:
        print("after SIGTERM: the shell's code", process.returncode)
        #> after SIGTERM: the shell's code -15
        os.killpg(process.pid, signal.SIGKILL)
        await asyncio.wait_for(process.communicate(), timeout=10)


async def main():
    process = await asyncio.create_subprocess_shell(
        COMMAND, stdout=PIPE, start_new_session=True
    )
    await process.stdout.readline()
    await stop(process, grace=1)
    print("after SIGKILL: no writer", process.stdout.at_eof())
    #> after SIGKILL: no writer True


if __name__ == "__main__":
    asyncio.run(main())
