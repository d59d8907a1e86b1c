"""Cancel a task that waits for a command, and stop the command."""

# /// script
# requires-python = ">=3.11"
# ///
import asyncio
from contextlib import asynccontextmanager, nullcontext


@asynccontextmanager
async def stopping(process, grace=5):
    try:
        yield
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.communicate(), grace)
            except TimeoutError:
                process.kill()
                await asyncio.wait_for(process.communicate(), 10)


async def limit(block):
    process = await asyncio.create_subprocess_exec("sleep", "60")
    try:
        async with asyncio.timeout(0.3), block(process):
            await process.communicate()
    except TimeoutError:
        print(f"{block.__name__}: exit code {process.returncode}")
        #> nullcontext: exit code None
        #> stopping: exit code -15
    if process.returncode is None:
        process.kill()
        await process.wait()


if __name__ == "__main__":
    for block in (nullcontext, stopping):
        asyncio.run(limit(block))
