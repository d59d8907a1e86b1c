"""Terminate a finished command: only asyncio raises an error."""

import asyncio
import subprocess


async def main():
    process = await asyncio.create_subprocess_exec("true")
    await process.wait()
    # A turn in which the loop releases it.
    await asyncio.sleep(0)
    try:
        process.terminate()
    except ProcessLookupError:
        print("asyncio: ProcessLookupError")
        #> asyncio: ProcessLookupError


if __name__ == "__main__":
    asyncio.run(main())
    process = subprocess.Popen(["true"])
    process.wait()
    print("subprocess:", process.terminate())
    #> subprocess: None
