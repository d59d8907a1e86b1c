"""Limit a function in a thread: at the limit it continues to run."""

import asyncio
import threading

done = []


def work(event):
    event.wait(timeout=1)
    done.append("work")


async def main(event):
    try:
        await asyncio.wait_for(asyncio.to_thread(work, event), 0.1)
    except asyncio.TimeoutError:
        print("TimeoutError: done", done)
        #> TimeoutError: done []


if __name__ == "__main__":
    asyncio.run(main(threading.Event()))
    print("asyncio.run() returned: done", done)
    #> asyncio.run() returned: done ['work']
