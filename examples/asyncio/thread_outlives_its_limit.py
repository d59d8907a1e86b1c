"""Limit a function in a thread: the program still waits for it."""

# /// script
# requires-python = ">=3.11"
# ///
import asyncio
import time


def work():
    time.sleep(1)
    print("2. the function returns")
    #> 2. the function returns


async def main():
    loop = asyncio.get_running_loop()
    try:
        await asyncio.wait_for(loop.run_in_executor(None, work), 0.2)
    except TimeoutError:
        print("1. the limit: TimeoutError")
        #> 1. the limit: TimeoutError


if __name__ == "__main__":
    asyncio.run(main())
    print("3. asyncio.run() returns")
    #> 3. asyncio.run() returns
