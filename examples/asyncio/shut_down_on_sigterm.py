"""Shut down on SIGTERM: cancel the tasks, and wait with a limit."""

import asyncio
import signal


async def work(name):
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        print(name, "is canceled")
        #> good is canceled
        #> bad is canceled
        if name == "good":
            raise
    await asyncio.sleep(60)  # So "bad" keeps running.


async def main():
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    tasks = [asyncio.create_task(work(n)) for n in ("good", "bad")]
    await asyncio.sleep(0)
    signal.raise_signal(signal.SIGTERM)  # As `kill PID` does.

    await stop.wait()
    for task in tasks:
        task.cancel()
    ended, running = await asyncio.wait(tasks, timeout=0.5)
    print("ended:", len(ended), "still running:", len(running))
    #> ended: 1 still running: 1


if __name__ == "__main__":
    asyncio.run(main())
    print("the program exits")
    #> the program exits
