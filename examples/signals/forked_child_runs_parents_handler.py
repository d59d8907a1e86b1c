"""Run the parent's asyncio handler by a signal to its child."""

# /// script
# requires-python = "<3.12"
# ///
import asyncio
import signal
import time
from multiprocessing import get_context

fork = get_context("fork")


def work(ready):
    ready.send("ready")
    while True:
        time.sleep(0.1)


async def main():
    loop = asyncio.get_running_loop()
    called = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, called.set)
    receiver, sender = fork.Pipe(duplex=False)
    worker = fork.Process(target=work, args=(sender,))
    worker.start()
    receiver.recv()
    worker.terminate()
    await asyncio.wait_for(called.wait(), timeout=30)
    print("the parent's handler was called:", called.is_set())
    #> the parent's handler was called: True
    print("the child: exit code", worker.exitcode)
    #> the child: exit code None
    worker.kill()
    worker.join()


if __name__ == "__main__":
    asyncio.run(main())
