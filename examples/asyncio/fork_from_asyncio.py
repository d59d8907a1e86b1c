"""Fork from a program with an asyncio handler for SIGTERM."""

import asyncio
import signal
import time
from multiprocessing import get_context

# Only a forked worker inherits it.
fork = get_context("fork")


def work(ready, reset):
    if reset:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    ready.send("ready")
    while True:
        time.sleep(0.1)


async def main():
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, int)
    for reset in (False, True):
        receiver, sender = fork.Pipe(duplex=False)
        worker = fork.Process(target=work, args=(sender, reset))
        worker.start()
        receiver.recv()
        worker.terminate()
        worker.join(timeout=None if reset else 0.5)
        print(f"reset {reset}: exit code", worker.exitcode)
        #> reset False: exit code None
        #> reset True: exit code -15
        worker.kill()
        worker.join()


if __name__ == "__main__":
    asyncio.run(main())
