"""Cancel what waits for a command, and end the command as well."""

# /// script
# requires-python = ">=3.11"
# ///
import asyncio
from contextlib import asynccontextmanager, nullcontext


@asynccontextmanager
async def ended(process, grace=5):
    try:
        yield
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), timeout=grace)
            except TimeoutError:
                process.kill()
                await process.wait()


async def limit(block):
    process = await asyncio.create_subprocess_exec("sleep", "60")
    try:
        async with asyncio.timeout(0.3), block(process):
            await process.wait()
    except TimeoutError:
        print(f"{block.__name__}: exit code {process.returncode}")
        #> nullcontext: exit code None
        #> ended: exit code -15
    if process.returncode is None:
        process.kill()
        await process.wait()


if __name__ == "__main__":
    for block in (nullcontext, ended):
        asyncio.run(limit(block))
