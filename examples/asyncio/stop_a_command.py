"""Stop asyncio commands: one that ignores SIGTERM, and a shell."""

# /// script
# dependencies = ["process-terminate"]
# ///
import asyncio
from asyncio.subprocess import PIPE

from process_terminate import aio

IGNORE = "trap '' TERM; echo ready; while :; do sleep 0.1; done"


async def main():
    process = await asyncio.create_subprocess_exec("sleep", "60")
    print(await aio.stop(process, grace=5))
    #> killed by SIGTERM (15); a shell shows 143

    process = await asyncio.create_subprocess_exec(
        "sh", "-c", IGNORE, stdout=PIPE
    )
    await process.stdout.readline()
    print(await aio.stop(process, grace=0.3))
    #> killed by SIGKILL (9); a shell shows 137
    await asyncio.wait_for(process.communicate(), 10)

    shell = await asyncio.create_subprocess_shell(
        "sleep 60 & echo ready; wait", stdout=PIPE
    )
    await shell.stdout.readline()
    stopped = await aio.stop_tree(shell, grace=5)
    print("a shell and its command:", [s.signal.name for s in stopped])
    #> a shell and its command: ['SIGTERM', 'SIGTERM']
    await asyncio.wait_for(shell.communicate(), 10)


if __name__ == "__main__":
    asyncio.run(main())
