"""Stop a shell of asyncio with all that it runs: by its group."""

# /// script
# requires-python = ">=3.11"
# ///
import asyncio
import os
import signal
from asyncio.subprocess import PIPE

# A shell that SIGTERM ends, with a command that ignores SIGTERM.
COMMAND = "trap '' TERM; sleep 60 & trap - TERM; echo ready; wait"


async def stop(process, grace):
    os.killpg(process.pid, signal.SIGTERM)
    try:  # Until the last process is dead that has the pipe.
        await asyncio.wait_for(process.stdout.read(), timeout=grace)
    except TimeoutError:
        print("after SIGTERM: the shell's code", process.returncode)
        #> after SIGTERM: the shell's code -15
        os.killpg(process.pid, signal.SIGKILL)
    return await process.wait()


async def main():
    process = await asyncio.create_subprocess_shell(
        COMMAND, stdout=PIPE, start_new_session=True
    )
    await process.stdout.readline()
    await stop(process, grace=1)
    print("after SIGKILL: its pipe", await process.stdout.read())
    #> after SIGKILL: its pipe b''


if __name__ == "__main__":
    asyncio.run(main())
